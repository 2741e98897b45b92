//! Timeouts: the request head, idle connections and pings, deadlines, and the expiry of tokens.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use harpia::prelude::*;
use harpia_tests::{Events, TestServer, within};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_request_head_that_never_ends_is_dropped_after_a_timeout() {
    let app = App::new().ws(Idle(Events::new())).max_connections(1);
    let server = TestServer::start(app).await;
    let before = Instant::now();
    let address = server.address();
    let stalled = TcpStream::connect(address).await.unwrap();
    stalled.try_write(b"GET /idle HTTP/1.1\r\nHost: l").unwrap();
    // The only connection slot is free again once the timeout for a request head has passed.
    let mut client = server.connect("/idle").await;
    assert_eq!(client.text().await, "in");
    assert!(
        before.elapsed() > Duration::from_secs(5),
        "{:?}",
        before.elapsed()
    );
}

struct Idle(Events);

#[ws_route("/idle", idle_timeout = "1s", ping = off)]
impl Idle {
    fn open(&self, ws: &mut Socket) {
        ws.send("in");
    }

    fn close(&self, code: CloseCode, reason: &str) {
        self.0.note(format_args!("close {code} {reason}"));
    }
}

struct Pinged;

#[ws_route("/pinged", idle_timeout = "2s", ping = "500ms")]
impl Pinged {
    fn open(&self, ws: &mut Socket) {
        ws.send("in");
    }
}

#[tokio::test]
async fn a_silent_client_is_closed_with_1001_idle_timeout() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Idle(events.clone()))).await;
    let mut client = server.connect("/idle").await;
    assert_eq!(client.text().await, "in");
    let before = Instant::now();
    assert_eq!(client.closed().await, (1001, "Idle Timeout".into()));
    assert!(
        before.elapsed() > Duration::from_millis(900),
        "{:?}",
        before.elapsed()
    );
    assert_eq!(events.next().await, "close 1001 Idle Timeout");
}

#[tokio::test]
async fn a_client_that_answers_pings_outlives_the_idle_timeout() {
    let server = TestServer::start(App::new().ws(Pinged)).await;
    let mut client = server.connect_raw("/pinged").await;
    assert_eq!(client.read_frame().await.unwrap().text(), "in");
    let before = Instant::now();
    // Eight pings take longer than the idle timeout, and each pong restarts it.
    for _ in 0..8 {
        let ping = client.read_frame().await.unwrap();
        assert_eq!(ping.head, 0x89, "{ping:?}");
        client.frame(0x8a, &ping.payload).await;
    }
    assert!(
        before.elapsed() > Duration::from_secs(2),
        "{:?}",
        before.elapsed()
    );
    // Without pongs the idle timeout closes the connection.
    assert_eq!(client.close_code().await, 1001);
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload() {
    let server = TestServer::start(App::new().ws(Pinged)).await;
    let mut client = server.connect_raw("/pinged").await;
    assert_eq!(client.read_frame().await.unwrap().text(), "in");
    client.frame(0x89, &[b'x'; 125]).await;
    let pong = client.read_frame().await.unwrap();
    assert_eq!((pong.head, pong.payload), (0x8a, vec![b'x'; 125]));
    // The server ignores an unsolicited pong.
    client.frame(0x8a, b"unsolicited").await;
    client.frame(0x89, b"").await;
    assert_eq!(client.read_frame().await.unwrap().head, 0x8a);
}

#[tokio::test]
async fn the_idle_timeout_does_not_run_while_a_handler_runs() {
    struct Waits(Arc<Semaphore>);
    #[ws_route("/waits", idle_timeout = "1s", ping = off)]
    impl Waits {
        async fn open(&self, ws: &mut Socket) {
            drop(self.0.acquire().await);
            ws.send("open");
        }
    }
    let gate = Arc::new(Semaphore::new(0));
    let app = App::new()
        .ws(Waits(Arc::clone(&gate)))
        .ws(Idle(Events::new()));
    let server = TestServer::start(app).await;
    let mut waiting = server.connect("/waits").await;
    // Two other clients time out one after the other, which takes longer than one idle timeout.
    for _ in 0..2 {
        let mut idle = server.connect("/idle").await;
        assert_eq!(idle.text().await, "in");
        assert_eq!(idle.closed().await.0, 1001);
    }
    gate.add_permits(1);
    assert_eq!(waiting.text().await, "open");
    assert_eq!(waiting.closed().await, (1001, "Idle Timeout".into()));
}

/// Sets the timer that the message names.
struct Timed;

#[ws_route("/timed", broadcast = off)]
impl Timed {
    fn message(&self, ws: &mut Socket, message: String) {
        let now = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
        match &*message {
            "deadline" => ws.deadline(Duration::from_millis(300), 4000, "Too Late"),
            "clear" => ws.clear_deadline(),
            "expired" => ws.expire_at(now - 10),
            // Two seconds, because the current second may end before the next message arrives.
            "expire" => ws.expire_at(now + 2),
            "extend" => ws.expire_at(now + 1000),
            _ => {}
        }
        ws.send("done");
    }
}

#[tokio::test]
async fn a_deadline_closes_with_its_code_and_reason() {
    let server = TestServer::start(App::new().ws(Timed)).await;
    let mut client = server.connect("/timed").await;
    client.send("deadline").await;
    assert_eq!(client.text().await, "done");
    assert_eq!(client.closed().await, (4000, "Too Late".into()));
}

#[tokio::test]
async fn a_cleared_deadline_does_not_close_the_connection() {
    let server = TestServer::start(App::new().ws(Timed)).await;
    let mut client = server.connect("/timed").await;
    let mut other = server.connect("/timed").await;
    for text in ["deadline", "clear"] {
        client.send(text).await;
        assert_eq!(client.text().await, "done");
    }
    // Once a later deadline has closed another client, the earlier one would have passed too.
    other.send("deadline").await;
    assert_eq!(other.text().await, "done");
    assert_eq!(other.closed().await.0, 4000);
    client.send("still here?").await;
    assert_eq!(client.text().await, "done");
}

#[tokio::test]
async fn expire_at_closes_with_4401_and_a_later_call_extends_it() {
    let server = TestServer::start(App::new().ws(Timed)).await;
    let mut gone = server.connect("/timed").await;
    gone.send("expired").await;
    assert_eq!(gone.closed().await, (4401, "Token Expired".into()));
    let mut stays = server.connect("/timed").await;
    let mut goes = server.connect("/timed").await;
    for text in ["expire", "extend"] {
        stays.send(text).await;
        assert_eq!(stays.text().await, "done");
    }
    goes.send("expire").await;
    assert_eq!(goes.text().await, "done");
    assert_eq!(goes.closed().await, (4401, "Token Expired".into()));
    stays.send("still here?").await;
    assert_eq!(within(stays.text()).await, "done");
}
