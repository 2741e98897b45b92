//! The closing handshake: codes, reasons, and what the client receives before the close frame.

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Events, RawClient, TestServer};

/// Closes with the code and reason that the message names: `code reason`.
struct Closer(Events);

#[ws_route("/close", broadcast = off)]
impl Closer {
    fn message(&self, ws: &mut Socket, message: String) {
        let (code, reason) = message.split_once(' ').unwrap_or((&message, ""));
        ws.send("before");
        ws.close(code.parse::<u16>().unwrap_or(1000), reason);
        assert!(!ws.is_open());
        self.0.note(format_args!("{:?}", ws.send("after")));
        ws.close(4999, "too late");
    }

    fn close(&self, ws: &mut Socket, code: CloseCode, reason: &str) {
        assert_eq!(ws.send("too late"), SendStatus::Closed);
        self.0.note(format_args!("{code} {reason}"));
    }
}

async fn closer() -> (TestServer, Events) {
    let events = Events::new();
    let app = App::new().ws(Closer(events.clone()));
    (TestServer::start(app).await, events)
}

#[tokio::test]
async fn a_close_follows_earlier_sends_and_ignores_later_sends_and_closes() {
    let (server, events) = closer().await;
    let mut client = server.connect("/close").await;
    client.send("4001 as you wish").await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4001, "as you wish".into()));
    assert_eq!(events.next().await, "Closed");
    assert_eq!(events.next().await, "4001 as you wish");
}

#[tokio::test]
async fn a_close_code_that_must_not_be_sent_is_replaced_with_1011() {
    let (server, _) = closer().await;
    for code in ["1006", "1015", "999", "5000", "0"] {
        let mut client = server.connect("/close").await;
        client.send(code).await;
        assert_eq!(client.text().await, "before");
        assert_eq!(client.closed().await.0, 1011, "{code}");
    }
}

#[tokio::test]
async fn code_1005_sends_an_empty_close_frame() {
    let (server, events) = closer().await;
    let mut client = server.connect("/close").await;
    client.send("1005").await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (1005, String::new()));
    assert_eq!(events.next().await, "Closed");
    assert_eq!(events.next().await, "1005 ");
}

#[tokio::test]
async fn a_long_reason_is_truncated_at_a_character_boundary() {
    let (server, _) = closer().await;
    let mut client = server.connect("/close").await;
    client.send(&format!("4000 {}", "ü".repeat(100))).await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4000, "ü".repeat(61)));
}

#[tokio::test]
async fn the_clients_close_code_is_echoed_and_passed_to_the_handler() {
    let (server, events) = closer().await;
    for (code, reason) in [(1000, ""), (1001, "leaving"), (3000, "lib"), (4321, "grün")] {
        let mut client = server.connect("/close").await;
        assert_eq!(client.close_with(code, reason).await.0, code);
        assert_eq!(events.next().await, format!("{code} {reason}"));
    }
}

#[tokio::test]
async fn the_server_closes_the_tcp_connection_after_its_close_frame() {
    let (server, _) = closer().await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x88, &[0x03, 0xe8]).await;
    let frame = client.read_frame().await.unwrap();
    assert_eq!((frame.head, &*frame.payload), (0x88, &[0x03, 0xe8][..]));
    assert_eq!(client.read_frame().await, None);
}

#[tokio::test]
async fn a_client_that_never_answers_the_close_frame_is_dropped_after_a_timeout() {
    let app = App::new().ws(Closer(Events::new())).max_connections(1);
    let server = TestServer::start(app).await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x81, b"4000 go").await;
    assert_eq!(client.close_code().await, 4000);
    // The first client keeps its side open. The next one connects once the first is dropped.
    server.join("/close").await;
    assert_eq!(client.read_frame().await, None);
}

/// Queues 2 MB for a client that does not read, and then closes if the message says so.
///
/// Notes the number of messages sent, and the calls of `error` and `close`.
struct Flood(Events);

#[ws_route("/flood", broadcast = off, backlog = "64MiB")]
impl Flood {
    fn message(&self, ws: &mut Socket, message: String) {
        let mut sent = 0;
        while !matches!(ws.send(chunk(sent)), SendStatus::Queued(2_000_000..)) {
            sent += 1;
        }
        if message == "close" {
            ws.close(4000, "bye");
        }
        self.0.note(sent + 1);
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(error);
    }

    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
}

fn chunk(number: usize) -> String {
    format!("{number:06}{}", "x".repeat(20_000))
}

/// Reads chunks in order until the close frame; returns their number and the close code.
async fn read_chunks(client: &mut RawClient) -> (usize, u16) {
    let mut count = 0;
    loop {
        let frame = client.read_frame().await.expect("a close frame");
        if frame.head == 0x88 {
            return (
                count,
                u16::from_be_bytes([frame.payload[0], frame.payload[1]]),
            );
        }
        assert_eq!((frame.head, frame.text()), (0x81, chunk(count)));
        count += 1;
    }
}

#[tokio::test]
async fn a_close_after_queued_messages_delivers_all_of_them() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Flood(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/flood").await;
    client.texts(&["close"]).await;
    let sent: usize = events.next().await.parse().unwrap();
    assert_eq!(read_chunks(&mut client).await, (sent, 4000));
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "close 4000");
}

#[tokio::test]
async fn a_protocol_error_drops_queued_messages_but_completes_a_frame_being_written() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Flood(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/flood").await;
    client.texts(&["go"]).await;
    let sent: usize = events.next().await.parse().unwrap();
    // An unmasked frame is a protocol error.
    client.write(&[0x81, 0x02, b'h', b'i']).await;
    assert!(events.next().await.contains("mask"));
    let (read, code) = read_chunks(&mut client).await;
    assert_eq!(code, 1002);
    // About 100 chunks were queued and dropped. Chunks in the kernel's buffer still arrive.
    assert!(read > 0 && read + 90 < sent, "{read} of {sent}");
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "close 1002");
}
