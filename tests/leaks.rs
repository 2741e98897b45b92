//! Clients that reset the connection during the handshake: the server frees every resource.
//!
//! These tests are a binary of their own and run one at a time, since they count the file
//! descriptors that this process has open.
#![cfg(target_os = "linux")]

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{TestServer, within};
use socket2::SockRef;
use tokio::runtime::Builder;

/// Held by each test before it opens any descriptor, including those of its runtime, since
/// descriptors are counted for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The number of clients that each test resets.
const TRIES: usize = 500;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

/// Connects, sends these bytes, then resets the connection.
fn send_and_reset(address: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    // If the server leaked permits, the listen queue would fill up, and `connect` without a timeout
    // would block for minutes.
    let mut client = TcpStream::connect_timeout(&address, Duration::from_secs(20))?;
    client.write_all(bytes)?;
    SockRef::from(&client).set_linger(Some(Duration::ZERO))
}

fn open_descriptors() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

fn upgrade_request() -> Vec<u8> {
    b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec()
}

/// Aborts many handshakes, and asserts that the server frees their descriptors and permits.
///
/// The server has far fewer permits than there are tries, so leaked permits would block the client
/// that connects last.
fn aborted_handshakes_leak_nothing(bytes: &[u8]) -> io::Result<()> {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(abort_handshakes(bytes))
}

async fn abort_handshakes(bytes: &[u8]) -> io::Result<()> {
    let server = TestServer::start(App::new().ws(Chat).ws(Stuck).max_connections(20)).await;
    let before = open_descriptors()?;
    for _ in 0..TRIES / 10 {
        // The server runs on this thread, so each client is reset before the server accepts it.
        for _ in 0..10 {
            send_and_reset(server.address(), bytes)?;
        }
        tokio::task::yield_now().await;
    }
    let mut client = server.connect("/chat").await;
    assert_eq!(client.text().await, "welcome");
    client.close().await;
    within(async {
        while open_descriptors()? > before {
            tokio::task::yield_now().await;
        }
        Ok::<_, io::Error>(())
    })
    .await?;
    server.shut_down().await;
    Ok(())
}

#[test]
fn a_handshake_aborted_before_the_response_leaks_no_descriptor_and_no_permit() -> io::Result<()> {
    aborted_handshakes_leak_nothing(&upgrade_request())
}

#[test]
fn a_handshake_aborted_after_the_first_frame_byte_leaks_no_descriptor_and_no_permit()
-> io::Result<()> {
    let mut bytes = upgrade_request();
    bytes.push(0x81);
    aborted_handshakes_leak_nothing(&bytes)
}

/// Data that is never made.
struct Never;

impl FromHandshake for Never {
    async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
        std::future::pending().await
    }
}

struct Stuck;

#[ws_route("/stuck", data = Never)]
impl Stuck {
    fn message(&self) {}
}

#[test]
fn a_client_that_resets_while_its_data_is_made_leaks_no_descriptor_and_no_permit() -> io::Result<()>
{
    let request = String::from_utf8_lossy(&upgrade_request()).replace("/chat", "/stuck");
    aborted_handshakes_leak_nothing(request.as_bytes())?;
    let flood = format!("{request}{}", "x".repeat(100_000));
    aborted_handshakes_leak_nothing(flood.as_bytes())
}

#[test]
fn a_client_that_floods_a_refused_upgrade_leaks_no_descriptor_and_no_permit() -> io::Result<()> {
    let request = String::from_utf8_lossy(&upgrade_request()).replace("Key: ", "Key: x");
    aborted_handshakes_leak_nothing(format!("{request}{}", "x".repeat(100_000)).as_bytes())
}

#[test]
fn an_incomplete_request_head_leaks_no_descriptor_and_no_permit() -> io::Result<()> {
    aborted_handshakes_leak_nothing(b"GET /chat HTTP/1.1\r\nHost")
}
