//! Example programs, built and run as a user runs them.

use std::env;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};

use crate::{CertificateFiles, RawClient};

/// A running example. Dropping it kills the process.
#[derive(Debug)]
pub struct Program {
    process: Child,
    port: u16,
    /// One thread for each captured output; it reads until the program has ended.
    outputs: Vec<JoinHandle<Vec<u8>>>,
}

impl Program {
    /// Builds an example, starts it on a free port and waits until it listens.
    ///
    /// # Panics
    ///
    /// If it does not build, or does not listen within 20 seconds.
    pub fn start(name: &str) -> Self {
        Self::start_at(name, free_port())
    }

    /// Starts an example on a free port and captures its output, with all log levels enabled.
    ///
    /// [`stop_and_read`](Self::stop_and_read) returns the output. The log includes the traces of
    /// other crates.
    pub fn start_traced(name: &str) -> Self {
        let mut command = Command::new(built(name));
        command.env("RUST_LOG", "trace").stderr(Stdio::piped());
        Self::spawn(command.stdout(Stdio::piped()), free_port())
    }

    /// Starts an example on a given port; see [`start`](Self::start).
    pub fn start_at(name: &str, port: u16) -> Self {
        Self::spawn(Command::new(built(name)).stdout(Stdio::null()), port)
    }

    /// Starts an example on a free port, with TLS.
    pub fn start_with_tls(name: &str, files: &CertificateFiles) -> Self {
        let mut command = Command::new(built(name));
        command.env("TLS_CERT", files.certificate());
        command.env("TLS_KEY", files.key());
        Self::spawn(command.stdout(Stdio::null()), free_port())
    }

    /// Starts an example on a Unix socket.
    pub fn start_on_unix(name: &str, path: &Path) -> Self {
        let mut command = Command::new(built(name));
        command.env("LISTEN", format!("unix:{}", path.display()));
        Self::spawn_until(command.stdout(Stdio::null()), 0, || {
            UnixStream::connect(path).is_ok()
        })
    }

    /// Starts an example that inherits a socket, as systemd starts a service.
    pub fn start_with_socket(name: &str, listener: &TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let socket = listener.try_clone().expect("a second descriptor").into();
        let mut command = Command::new(built(name));
        command.env("LISTEN_FDS", "1").stdout(Stdio::null());
        // The first socket of a service has the descriptor 3.
        let mapping = FdMapping {
            parent_fd: socket,
            child_fd: 3,
        };
        command.fd_mappings(vec![mapping]).expect("no collision");
        // The socket takes connections before the program listens, so there is nothing to wait for.
        Self::spawn_until(&mut command, port, || true)
    }

    fn spawn(command: &mut Command, port: u16) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self::spawn_until(command, port, || TcpStream::connect(address).is_ok())
    }

    fn spawn_until(command: &mut Command, port: u16, listens: impl Fn() -> bool) -> Self {
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
        program.wait_until(listens);
        program
    }

    /// Returns the port that the program listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address that the program listens on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Returns the URL of the program's page.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address())
    }

    /// Sends a POST request; returns the whole response, head and body.
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

    /// Returns the program's memory in bytes: its proportional set size on Linux.
    ///
    /// # Panics
    ///
    /// If `/proc` does not report it.
    pub fn resident(&self) -> usize {
        let path = format!("/proc/{}/smaps_rollup", self.process.id());
        let rollup = std::fs::read_to_string(path).expect("/proc reports its memory");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        let kibibytes: usize = number.and_then(|text| text.parse().ok()).expect("a number");
        kibibytes * 1024
    }

    /// Stops the program with a signal: `TERM` as a service manager does, or `INT` as Ctrl-C does.
    ///
    /// # Panics
    ///
    /// If the program does not exit with success.
    pub fn stop(mut self, signal: &str) {
        self.end(signal);
    }

    /// Stops the program with `TERM`; returns all that it has written.
    ///
    /// # Panics
    ///
    /// If the program does not exit with success.
    pub fn stop_and_read(mut self) -> String {
        self.end("TERM");
        let outputs = std::mem::take(&mut self.outputs);
        let written = outputs
            .into_iter()
            .map(|output| output.join().expect("the output is read"));
        String::from_utf8_lossy(&written.collect::<Vec<_>>().concat()).into_owned()
    }

    fn end(&mut self, signal: &str) {
        self.signal(signal);
        let status = self.process.wait().expect("the program exits");
        assert!(status.success(), "the program exited with {status}");
    }

    /// Sends a signal to the program.
    ///
    /// # Panics
    ///
    /// If the program has exited.
    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        let is_sent = sent.is_ok_and(|status| status.success());
        assert!(is_sent, "could not send the signal {signal}");
    }

    fn wait_until(&mut self, listens: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !listens() {
            let ended = self.process.try_wait().expect("a status");
            assert!(ended.is_none(), "the program exited early: {ended:?}");
            assert!(Instant::now() < end, "the program does not listen");
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

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Reads an output on a thread of its own, so that the program never blocks on a full pipe.
///
/// The thread ends when the program does.
fn read_on(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        bytes
    })
}

/// Builds an example and returns the path of the program.
fn built(name: &str) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--all-features", "--package", name])
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{name} does not build"
    );
    // Cargo puts tests into `target/debug/deps` and programs into `target/debug`.
    let test = env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("target/debug");
    folder.join(name)
}
