//! An example, built and run as a user runs it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

/// A running example, which ends with the test.
pub(crate) struct Program {
    process: Child,
    port: u16,
}

impl Program {
    /// Starts an example on a free port.
    pub(crate) fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        Self::start_at(name, port)
    }

    pub(crate) fn start_at(name: &str, port: u16) -> Self {
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

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Ends it with SIGTERM, as a service manager does.
    pub(crate) fn stop_gracefully(mut self) {
        let id = self.process.id().to_string();
        let signalled = Command::new("kill").args(["-TERM", &id]).status();
        assert!(
            signalled.is_ok_and(|status| status.success()),
            "could not signal {id}"
        );
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "it ended with {status}");
    }

    fn wait_until_it_listens(&mut self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
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
