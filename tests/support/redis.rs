//! A real Redis on a free port, with a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// A `redis-server`, which ends with the test and then leaves nothing behind.
///
/// It writes all to disk at once: what it has answered is still there after
/// [`kill`](Self::kill) and [`start_again`](Self::start_again).
#[derive(Debug)]
pub struct RedisServer {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
}

impl RedisServer {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    ///
    /// If there is none to start: `tests/run` installs it.
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

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts it again on the same port, with what it has kept.
    ///
    /// # Panics
    ///
    /// If it does not start.
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
        self.process = Some(process.expect("`redis-server` is installed, as by `tests/run`"));
        let end = Instant::now() + Duration::from_secs(20);
        while self.try_command("PING").as_deref() != Some("+PONG") {
            assert!(Instant::now() < end, "it does not answer");
            thread::yield_now();
        }
    }

    /// Ends it at once, as a lost machine does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Sends it a signal: with `STOP` it keeps its connections and answers nothing, until `CONT`.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal");
    }

    /// Gives it a command; returns the answer without what frames it.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn command(&self, line: &str) -> String {
        let answer = self.try_command(line).expect("it answers");
        answer[1..].to_owned()
    }

    /// Returns the first line of the answer, or the text that it announces.
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
