//! Pings, pongs and idle timeouts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use harpia::prelude::*;
use harpia_tests::{Events, TestServer};
use tokio::sync::Semaphore;

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
    // Eight pings take longer than the idle timeout; any pong counts as life.
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
    // And one that stops answering does not.
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
    // A pong that nobody asked for is fine.
    client.frame(0x8a, b"unasked").await;
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
    // Two others run out of time one after the other: by then so would it have.
    for _ in 0..2 {
        let mut idle = server.connect("/idle").await;
        assert_eq!(idle.text().await, "in");
        assert_eq!(idle.closed().await.0, 1001);
    }
    gate.add_permits(1);
    assert_eq!(waiting.text().await, "open");
    assert_eq!(waiting.closed().await, (1001, "Idle Timeout".into()));
}
