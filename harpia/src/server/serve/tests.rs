//! A panic of the flusher's thread, which is injected, ends the server in order.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::{BoxError, Error};
use crate::extract::{Handshake, PathValues, Rejection};
use crate::hub::Hub;
use crate::route::Route;
use crate::server::App;
use crate::transport::SendStatus;

struct Chat;

impl Route for Chat {
    const PATH: &'static str = "/chat";
    type Data = ();
    type Parameters = ();

    fn parameters(_: &PathValues) -> Result<(), Rejection> {
        Ok(())
    }

    async fn connect(&self, _: &Handshake, (): &()) -> Result<(), BoxError> {
        Ok(())
    }
}

const UPGRADE: &[u8] = b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The frame of 1001 "Server Shutdown".
const GOING_AWAY: &[u8] = b"\x88\x11\x03\xe9Server Shutdown";

const LONG: Duration = Duration::from_secs(20);

/// Connects, and returns the stream after the 101.
async fn connect(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(UPGRADE).await.unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\n") {
        response.push(client.read_u8().await.unwrap());
    }
    client
}

/// Connects, and reads until the server closes.
async fn visit(address: SocketAddr) {
    let mut received = Vec::new();
    if let Ok(mut client) = TcpStream::connect(address).await
        && client.write_all(UPGRADE).await.is_ok()
    {
        // A reset is as good as an end here.
        let _ = client.read_to_end(&mut received).await;
    }
}

async fn is_active(hub: &Hub, connections: usize) {
    while hub.connections() < connections {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_the_flusher_closes_all_clients_and_is_returned_by_serve() {
    // A shutdown that has to wait for its timeout fails the test.
    let app = App::new().ws(Chat).shutdown_timeout(10 * LONG);
    let server = app.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().tcp().unwrap();
    let hub = server.handle();
    let serving = tokio::spawn(server.serve());
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(connect(address).await);
    }
    is_active(&hub, clients.len()).await;
    // These may enter before, during or after the panic, or be refused.
    let others: Vec<_> = (0..20).map(|_| tokio::spawn(visit(address))).collect();
    hub.inject_panic();
    for mut client in clients {
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert!(received.ends_with(GOING_AWAY), "{received:?}");
    }
    for other in others {
        let ended = timeout(LONG, other).await;
        ended.expect("the connection is closed").unwrap();
    }
    let ended = timeout(LONG, serving).await;
    let error = ended.expect("serve returns").unwrap().unwrap_err();
    assert!(
        matches!(&error, Error::Crash { part: "delivery", message } if message == "injected"),
        "{error}"
    );
    assert_eq!(hub.broadcast("too late"), SendStatus::Closed);
    assert_eq!(hub.connections(), 0);
}
