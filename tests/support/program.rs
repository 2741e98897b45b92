//! An example, built and run as a user runs it.

use std::env;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::RawClient;

/// A running example, which ends with the test.
#[derive(Debug)]
pub struct Program {
    process: Child,
    port: u16,
    /// Each reads one of its outputs to the end.
    outputs: Vec<JoinHandle<Vec<u8>>>,
}

impl Program {
    /// Starts an example on a free port.
    ///
    /// # Panics
    ///
    /// If it does not build, or does not listen.
    pub fn start(name: &str) -> Self {
        Self::start_at(name, free_port())
    }

    /// Starts an example that logs all it can, other crates' traces included, on a free port;
    /// [`stop_and_read`](Self::stop_and_read) returns it.
    pub fn start_traced(name: &str) -> Self {
        let mut command = Command::new(built(name));
        command.env("RUST_LOG", "trace").stderr(Stdio::piped());
        Self::spawn(command.stdout(Stdio::piped()), free_port())
    }

    /// Starts an example on this port; see [`start`](Self::start).
    pub fn start_at(name: &str, port: u16) -> Self {
        Self::spawn(Command::new(built(name)).stdout(Stdio::null()), port)
    }

    fn spawn(command: &mut Command, port: u16) -> Self {
        let spawned = command.env("PORT", port.to_string()).spawn();
        let mut process = spawned.expect("the example starts");
        let outputs = [
            process.stdout.take().map(read_on),
            process.stderr.take().map(read_on),
        ];
        let mut program = Self {
            process,
            port,
            outputs: outputs.into_iter().flatten().collect(),
        };
        program.wait_until_it_listens();
        program
    }

    /// Returns the port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Returns the address of its page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address())
    }

    /// Sends a body to a path; returns head and body of the answer.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut request = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n", self.address());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = body.len();
        request.push_str(&format!(
            "Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
        RawClient::last_request(self.address(), &request).await
    }

    /// Returns how many bytes of memory it holds, shared ones by share.
    ///
    /// # Panics
    ///
    /// Where the system does not tell.
    pub fn resident(&self) -> usize {
        let path = format!("/proc/{}/smaps_rollup", self.process.id());
        let rollup = std::fs::read_to_string(path).expect("the system tells");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        let kibibytes: usize = number.and_then(|text| text.parse().ok()).expect("a number");
        kibibytes * 1024
    }

    /// Ends it with a signal: `TERM` as a service manager does, `INT` as Ctrl-C.
    ///
    /// # Panics
    ///
    /// If it does not end as it should: with success.
    pub fn stop(mut self, signal: &str) {
        self.end(signal);
    }

    /// Ends it, and returns all that it has written.
    ///
    /// # Panics
    ///
    /// As [`stop`](Self::stop).
    pub fn stop_and_read(mut self) -> String {
        self.end("TERM");
        let outputs = std::mem::take(&mut self.outputs);
        let written = outputs
            .into_iter()
            .map(|output| output.join().expect("it is read"));
        String::from_utf8_lossy(&written.collect::<Vec<_>>().concat()).into_owned()
    }

    fn end(&mut self, signal: &str) {
        self.signal(signal);
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "it ended with {status}");
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// If it is gone.
    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal");
    }

    fn wait_until_it_listens(&mut self) {
        let address = self.address();
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            let ended = self.process.try_wait().expect("its status can be asked");
            assert!(ended.is_none(), "it ended at once: {ended:?}");
            assert!(Instant::now() < end, "it does not listen on {address}");
            thread::yield_now();
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Reads on another thread, so that the program never waits for its reader. It ends with the
/// program.
fn read_on(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        bytes
    })
}

/// Builds an example, if it is not built yet, and returns its path.
fn built(name: &str) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", name])
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{name} does not build"
    );
    // Tests are in `target/debug/deps`, programs in `target/debug`.
    let test = env::current_exe().expect("the test's own path");
    let folder = test.ancestors().nth(2).expect("target/debug");
    folder.join(name)
}
