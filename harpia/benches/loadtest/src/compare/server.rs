//! One of the servers that are compared: how it is started, found to be there, and stopped.

use std::io;
use std::net::TcpListener;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// What `--server` says: `NAME=COMMAND`, or `NAME:socketio=COMMAND`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Server {
    pub(super) name: String,
    /// For `--protocol`.
    pub(super) protocol: String,
    /// A command of the shell; it finds its port in `$PORT`.
    command: String,
}

impl FromStr for Server {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, command) = text.split_once('=').ok_or("a server is NAME=COMMAND")?;
        let (name, protocol) = name.split_once(':').unwrap_or((name, "plain"));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) {
            // It goes into tables and pictures as it is.
            return Err("a server's name is made of letters, digits, -, _ and .");
        }
        Ok(Self {
            name: name.to_owned(),
            protocol: protocol.to_owned(),
            command: command.to_owned(),
        })
    }
}

/// A server that listens. It is killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pub(super) pid: u32,
    pub(super) port: u16,
}

impl Server {
    /// Starts it on a free port and waits until it listens.
    pub(super) async fn start(&self) -> io::Result<Running> {
        // Free a moment ago; nobody else takes ports of 127.0.0.1 in the order the kernel gives.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("sh")
            // The shell becomes the server, so that its process is the one to weigh.
            .args(["-c", &format!("exec {}", self.command)])
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child
            .id()
            .ok_or_else(|| io::Error::other("it ended at once"))?;
        let mut running = Running { child, pid, port };
        timeout(STARTING, running.wait_until_it_listens()).await??;
        Ok(running)
    }
}

impl Running {
    async fn wait_until_it_listens(&mut self) -> io::Result<()> {
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended: {status}")));
            }
            sleep(Duration::from_millis(20)).await;
        }
        // The connection that found it must not be on its books any more.
        sleep(Duration::from_millis(200)).await;
        Ok(())
    }

    /// Asks it to end, and ends it if it does not.
    pub(super) async fn stop(mut self) -> io::Result<()> {
        if let Some(pid) = Pid::from_raw(self.pid as i32) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(STOPPING, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}

const STARTING: Duration = Duration::from_secs(20);

/// A server with nothing left to do needs no time; one that waits for its peers is not waited for.
const STOPPING: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_a_protocol_and_a_command() {
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
