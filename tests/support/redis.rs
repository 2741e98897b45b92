//! A Redis server on a free port, with its own data folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// A `redis-server` process. Dropping it kills the process and deletes its data.
///
/// The server writes every change to disk before it answers, so no acknowledged change is lost by
/// [`kill`](Self::kill) and [`start_again`](Self::start_again).
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// If `redis-server` is not installed (`tests/run` installs it), or does not answer.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let folder = env::temp_dir().join(format!("harpia-redis-{}-{port}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut server = Self {
            process: None,
            port,
            folder,
        };
        server.start_again();
        server
    }

    /// Returns the server's URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts the server again on the same port, with the same data.
    ///
    /// # Panics
    ///
    /// If the server does not answer within 20 seconds.
    pub fn start_again(&mut self) {
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ])
            .arg("--dir")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(process.expect("`redis-server` is not installed: run `tests/run`"));
        let end = Instant::now() + Duration::from_secs(20);
        while self.try_command("PING").as_deref() != Some("+PONG") {
            assert!(Instant::now() < end, "Redis does not answer");
            thread::yield_now();
        }
    }

    /// Kills the server, as a machine that crashes does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Sends a signal to the server.
    ///
    /// After `STOP` it keeps its connections but does not answer until `CONT`.
    ///
    /// # Panics
    ///
    /// If the server does not run.
    pub fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("Redis runs");
        let id = process.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        let is_sent = sent.is_ok_and(|status| status.success());
        assert!(is_sent, "could not send the signal {signal}");
    }

    /// Runs a command; returns the reply without its type byte.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn command(&self, line: &str) -> String {
        let answer = self.try_command(line).expect("Redis answers");
        answer[1..].to_owned()
    }

    /// Runs a command; returns the first line of the reply, or the bulk string that it announces.
    ///
    /// The reply keeps its type byte. Returns `None` if the server does not answer.
    fn try_command(&self, line: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(format!("{line}\r\n").as_bytes()).ok()?;
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        reader.read_line(&mut head).ok()?;
        let head = head.trim_end();
        let Some(length) = head.strip_prefix('$').and_then(|text| text.parse().ok()) else {
            return Some(head.to_owned());
        };
        let mut text = vec![0; length];
        reader.read_exact(&mut text).ok()?;
        Some(format!("${}", String::from_utf8_lossy(&text)))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
