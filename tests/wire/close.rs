//! The closing handshake: codes, reasons, who closes first, and from where.

use std::sync::{Arc, Mutex};

use harpia::prelude::*;
use harpia::{ConnectionId, SendStatus};
use harpia_tests::{Events, RawClient, TestServer};

/// Closes with what it is told: `code reason`.
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
    let (server, events) = closer().await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x81, b"4000 go").await;
    assert_eq!(client.close_code().await, 4000);
    assert_eq!(events.next().await, "Closed");
    assert_eq!(events.next().await, "4000 go");
    // It keeps its side open; the shutdown ends all the same.
    server.shut_down().await;
}

#[tokio::test]
async fn hub_disconnect_closes_only_the_connection_with_that_id() {
    struct Named(Arc<Mutex<Vec<ConnectionId>>>);
    #[ws_route("/named")]
    impl Named {
        fn open(&self, ws: &mut Socket) {
            self.0.lock().unwrap().push(ws.id());
            ws.send("in");
        }
    }
    let ids = Arc::new(Mutex::new(Vec::new()));
    let server = TestServer::start(App::new().ws(Named(Arc::clone(&ids)))).await;
    let (mut one, mut two) = (
        server.connect("/named").await,
        server.connect("/named").await,
    );
    assert_eq!(
        (one.text().await, two.text().await),
        ("in".into(), "in".into())
    );
    let mut two = two.active().await;
    let first = ids.lock().unwrap()[0];
    server.hub().disconnect(first, 4003, "banned");
    assert_eq!(one.closed().await, (4003, "banned".into()));
    one.close().await;
    // The id of one that has left is nobody's, even if the place is taken again.
    let mut three = server.connect("/named").await;
    assert_eq!(three.text().await, "in");
    let mut three = three.active().await;
    server.hub().disconnect(first, 4003, "banned");
    server.hub().broadcast("still here");
    assert_eq!(two.text().await, "still here");
    assert_eq!(three.text().await, "still here");
}

#[tokio::test]
async fn a_peer_sends_and_closes_from_another_task_and_outlives_its_connection() {
    struct Timer(Events);
    #[ws_route("/timer", broadcast = off)]
    impl Timer {
        fn open(&self, ws: &mut Socket) {
            let (peer, events) = (ws.peer(), self.0.clone());
            tokio::spawn(async move {
                assert!(peer.send("tick").is_accepted());
                peer.close(4000, "done");
                while peer.is_open() {
                    tokio::task::yield_now().await;
                }
                events.note(format_args!("{:?}", peer.send("tock")));
            });
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Timer(events.clone()))).await;
    let mut client = server.connect("/timer").await;
    assert_eq!(client.text().await, "tick");
    assert_eq!(client.closed().await, (4000, "done".into()));
    assert_eq!(events.next().await, "Closed");
}

/// Sends far more than a client takes that does not read, and then does what the message says.
struct Laden(Events);

#[ws_route("/laden", broadcast = off, backlog = "64MiB")]
impl Laden {
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

/// Reads whole chunks in order up to the close frame; returns how many, and its code.
async fn read_chunks(client: &mut RawClient) -> (usize, u16) {
    let mut count = 0;
    loop {
        let frame = client.read_frame().await.expect("a close frame comes");
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
    let server = TestServer::start(App::new().ws(Laden(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/laden").await;
    client.texts(&["close"]).await;
    let sent: usize = events.next().await.parse().unwrap();
    assert_eq!(read_chunks(&mut client).await, (sent, 4000));
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "close 4000");
}

#[tokio::test]
async fn a_protocol_error_drops_queued_messages_but_completes_a_frame_being_written() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Laden(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/laden").await;
    client.texts(&["go"]).await;
    let sent: usize = events.next().await.parse().unwrap();
    // Not masked.
    client.write(&[0x81, 0x02, b'h', b'i']).await;
    assert!(events.next().await.contains("mask"));
    let (read, code) = read_chunks(&mut client).await;
    assert_eq!(code, 1002);
    // What waited was a hundred of them; what was with the operating system already is not lost.
    assert!(read > 0 && read + 90 < sent, "{read} of {sent}");
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "close 1002");
}
