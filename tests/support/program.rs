//! An example, built and run as a user runs it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

/// A running example, which ends with the test.
#[derive(Debug)]
pub struct Program {
    process: Child,
    port: u16,
}

impl Program {
    /// Starts an example on a free port.
    ///
    /// # Panics
    ///
    /// If it does not build, or does not listen.
    pub fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        Self::start_at(name, port)
    }

    /// Starts an example on this port; see [`start`](Self::start).
    pub fn start_at(name: &str, port: u16) -> Self {
        let program = Command::new(built(name))
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .spawn();
        let mut program = Self {
            process: program.expect("the example starts"),
            port,
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
