//! A relay in front of the server, which counts what a client sends and receives.

use std::net::SocketAddr;

use harpia_tests::within;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How many connections each program makes.
const CONNECTIONS: usize = 2;

/// Passes the connections of one program on.
pub(crate) struct Relay {
    address: SocketAddr,
    counting: JoinHandle<(u64, u64)>,
}

impl Relay {
    /// Starts a relay to this server.
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self {
            address: listener.local_addr().expect("an address"),
            // The task ends with the program's last connection, or with the test's runtime.
            counting: tokio::spawn(pass_on(listener, server)),
        }
    }

    /// Returns the address that stands in for the server's.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the program's connections have ended; returns the bytes to and from the server.
    pub(crate) async fn finish(self) -> (u64, u64) {
        within(self.counting)
            .await
            .expect("the connections end without a reset")
    }
}

async fn pass_on(listener: TcpListener, server: SocketAddr) -> (u64, u64) {
    let (mut sent, mut received) = (0, 0);
    for _ in 0..CONNECTIONS {
        let (mut client, _) = listener.accept().await.expect("the program connects");
        let mut server = TcpStream::connect(server).await.expect("it accepts");
        let copied = copy_bidirectional(&mut client, &mut server).await;
        let (to_server, to_client) = copied.expect("neither side resets the connection");
        sent += to_server;
        received += to_client;
    }
    (sent, received)
}
