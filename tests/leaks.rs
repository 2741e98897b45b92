//! Clients that reset their connection: the server leaks no file descriptor and no permit.
//!
//! This is a test binary of its own and runs one test at a time, because it counts the open file
//! descriptors of the process.
#![cfg(target_os = "linux")]

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{TestServer, within};
use socket2::SockRef;
use tokio::runtime::Builder;

/// Serializes the tests, because descriptors are counted for the whole process.
///
/// A test locks this before it opens any descriptor, including those of its runtime.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

const ABORTED: usize = 500;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

/// Connects, sends these bytes and resets the connection.
fn send_and_reset(address: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    // If permits leak, the listen queue fills up and a connect without timeout blocks for minutes.
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

/// Aborts 500 handshakes and checks that the server releases their descriptors and permits.
///
/// The server has only 20 permits, so a leak of permits stops it.
fn check_aborted_handshakes(bytes: &[u8]) -> io::Result<()> {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(abort_handshakes(bytes))
}

async fn abort_handshakes(bytes: &[u8]) -> io::Result<()> {
    let server = TestServer::start(App::new().ws(Chat).max_connections(20)).await;
    let before = open_descriptors()?;
    for _ in 0..ABORTED / 10 {
        // The server runs on this thread, so it accepts these clients after they have reset.
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
    check_aborted_handshakes(&upgrade_request())
}

#[test]
fn a_handshake_aborted_after_one_byte_of_a_frame_leaks_no_descriptor_and_no_permit()
-> io::Result<()> {
    let mut bytes = upgrade_request();
    bytes.push(0x81);
    check_aborted_handshakes(&bytes)
}

#[test]
fn half_a_request_head_leaks_no_descriptor_and_no_permit() -> io::Result<()> {
    check_aborted_handshakes(b"GET /chat HTTP/1.1\r\nHost")
}
