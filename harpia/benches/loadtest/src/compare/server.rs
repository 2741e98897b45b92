//! One of the compared servers: starts it, waits until it listens, and stops it.

use std::io;
use std::net::TcpListener;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// A server to compare, parsed from `NAME=COMMAND` or `NAME:socketio=COMMAND`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Server {
    pub(super) name: String,
    /// The value for `--protocol`.
    pub(super) protocol: String,
    /// A shell command. It gets the port in `$PORT`.
    command: String,
}

impl FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, command) = text.split_once('=').ok_or("expected NAME=COMMAND")?;
        let (name, protocol) = name.split_once(':').unwrap_or((name, "plain"));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            // The name goes into Markdown and SVG without escapes.
            return Err("a server's name may contain only letters, digits, `-`, `_` and `.`");
        }
        Ok(Self {
            name: name.to_owned(),
            protocol: protocol.to_owned(),
            command: command.to_owned(),
        })
    }
}

/// A server that listens. Dropping this value kills it.
#[derive(Debug)]
pub(super) struct RunningServer {
    child: Child,
    pub(super) pid: u32,
    pub(super) port: u16,
}

impl Server {
    /// Starts the server on a free port and waits until it listens.
    pub(super) async fn start(&self) -> io::Result<RunningServer> {
        // Race: another process may take the port after this socket closes and before the server
        // binds. That is unlikely, since the kernel gives out other ports first, and the run then
        // fails with an error.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("sh")
            // `exec` replaces the shell, so that the process id is that of the server.
            .args(["-c", &format!("exec {}", self.command)])
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child
            .id()
            .ok_or_else(|| io::Error::other("the server exited at once"))?;
        let mut running = RunningServer { child, pid, port };
        timeout(START_LIMIT, running.wait_until_it_listens()).await??;
        Ok(running)
    }
}

impl RunningServer {
    async fn wait_until_it_listens(&mut self) -> io::Result<()> {
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server exited: {status}")));
            }
            sleep(Duration::from_millis(20)).await;
        }
        // Let the server drop this connection before the load begins.
        sleep(Duration::from_millis(200)).await;
        Ok(())
    }

    /// Sends SIGTERM, then kills the server if it has not exited after one second.
    pub(super) async fn stop(mut self) -> io::Result<()> {
        if let Some(pid) = Pid::from_raw(self.pid as i32) {
            // The server may have exited by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

/// Limits the time until the server listens.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Limits the time between SIGTERM and SIGKILL. No figure depends on a clean exit.
const STOP_LIMIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_name_a_protocol_and_a_command() {
        let server: Server = "mine=./mine --port=$PORT".parse().unwrap();
        assert_eq!(
            (server.name.as_str(), server.protocol.as_str()),
            ("mine", "plain")
        );
        assert_eq!(server.command, "./mine --port=$PORT");
        let server: Server = "theirs:socketio=theirs".parse().unwrap();
        assert_eq!(server.protocol, "socketio");
        assert!("mine".parse::<Server>().is_err());
        assert!("<b>=mine".parse::<Server>().is_err());
    }
}
