//! Handlers that fail: what `error` and `close` receive, how the connection closes, and that no
//! other connection is affected.

use std::time::Duration;

use harpia::SendStatus;
use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{Events, Log, RawClient, TestServer, within};

/// Fails in `message` as the message says, and notes what `error` and `close` receive.
struct Fails(Events);

#[ws_route("/fails")]
impl Fails {
    fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        match &*message {
            "fail" => Err("message failed")?,
            "close code" => None.or_close(4001, "no such thing")?,
            "panic" => panic!("message panicked"),
            _ => drop(ws.send(message)),
        }
        Ok(())
    }

    fn close(&self, code: CloseCode, reason: &str) {
        self.0.note(format_args!("close {code} {reason}"));
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(format_args!("error {error:#}"));
    }
}

async fn fails() -> (TestServer, Events) {
    let events = Events::new();
    let app = App::new().ws(Fails(events.clone()));
    (TestServer::start(app).await, events)
}

#[tokio::test]
async fn an_error_in_message_runs_error_and_closes_with_1011() {
    let (server, events) = fails().await;
    let mut client = server.connect("/fails").await;
    client.send("fail").await;
    assert_eq!(client.closed().await, (1011, String::new()));
    assert_eq!(
        events.next().await,
        "error handler `message` failed: message failed"
    );
    assert_eq!(events.next().await, "close 1011 ");
}

#[tokio::test]
async fn an_error_with_a_close_code_closes_with_that_code() {
    let (server, events) = fails().await;
    let mut client = server.connect("/fails").await;
    client.send("close code").await;
    assert_eq!(client.closed().await, (4001, "no such thing".into()));
    assert!(events.next().await.starts_with("error"));
    assert_eq!(events.next().await, "close 4001 no such thing");
}

#[tokio::test]
async fn a_panic_in_message_closes_only_its_own_connection_with_1011() {
    let (server, events) = fails().await;
    let mut client = server.connect("/fails").await;
    let mut other = server.connect("/fails").await;
    client.send("panic").await;
    assert_eq!(client.closed().await.0, 1011);
    assert_eq!(
        events.next().await,
        "error handler `message` panicked: message panicked"
    );
    assert_eq!(events.next().await, "close 1011 ");
    other.send("hello").await;
    assert_eq!(other.text().await, "hello");
}

#[tokio::test]
async fn an_error_in_open_closes_and_no_message_is_handled() {
    struct Guarded(Events);
    #[ws_route("/guarded")]
    impl Guarded {
        async fn open(&self, ws: &mut Socket) -> HandlerResult {
            tokio::task::yield_now().await;
            ws.send("who are you?");
            None.or_close(1008, "Unauthorized")?;
            Ok(())
        }
        fn message(&self, message: String) {
            self.0.note(message);
        }
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Guarded(events.clone()))).await;
    let mut client = server.connect("/guarded").await;
    client.try_send("let me in").await;
    assert_eq!(client.text().await, "who are you?");
    assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
    assert_eq!(events.next().await, "1008");
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn a_panic_in_open_close_or_error_affects_only_its_own_connection() {
    struct Fragile(Events);
    #[ws_route("/{which}")]
    impl Fragile {
        async fn open(&self, which: &str) {
            assert_ne!(which, "open", "broken open");
        }
        fn message(&self, which: &str) -> HandlerResult {
            if which == "error" {
                Err("message failed")?
            }
            Ok(())
        }
        async fn close(&self, which: &str, code: CloseCode) {
            self.0.note(format_args!("{which} {code}"));
            assert_ne!(which, "close", "broken close");
        }
        fn error(&self, which: &str, error: &harpia::Error) {
            self.0.note(format_args!("{which} {error:#}"));
            assert_ne!(which, "error", "broken error");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Fragile(events.clone()))).await;

    assert_eq!(server.connect("/open").await.closed().await.0, 1011);
    assert!(events.next().await.contains("broken open"));
    assert_eq!(events.next().await, "open 1011");

    server.connect("/close").await.close().await;
    assert_eq!(events.next().await, "close 1005");
    assert!(events.next().await.contains("broken close"));

    let mut client = server.connect("/error").await;
    client.send("x").await;
    assert_eq!(client.closed().await.0, 1011);
    assert!(events.next().await.contains("message failed"));
    assert_eq!(events.next().await, "error 1011");

    let mut client = server.connect("/fine").await;
    assert_eq!(client.close_with(1000, "").await.0, 1000);
    assert_eq!(events.next().await, "fine 1000");
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

/// Sends until 500 kB are queued. `drain` runs once the client has read them.
fn block(ws: &Socket) {
    while !matches!(
        ws.send("x".repeat(32 * 1024)),
        SendStatus::Queued(500_000..)
    ) {}
    ws.send("last");
}

async fn read_until(client: &mut RawClient, text: &str) {
    while client.read_frame().await.expect("a frame").text() != text {}
}

#[tokio::test]
async fn an_error_in_close_drain_or_error_is_only_logged() {
    struct Fails(Events);
    #[ws_route("/fails", broadcast = off)]
    impl Fails {
        async fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
            match &*message {
                "block" => block(ws),
                "fail" => Err("message failed")?,
                _ => drop(ws.send(message)),
            }
            Ok(())
        }
        async fn drain(&self) -> HandlerResult {
            self.0.note("drain");
            Err("drain failed".into())
        }
        fn error(&self, error: &harpia::Error) -> HandlerResult {
            self.0.note(format_args!("error {error:#}"));
            Err("error failed".into())
        }
        fn close(&self, code: CloseCode) -> HandlerResult {
            self.0.note(format_args!("close {code}"));
            None.or_close(4000, "close failed")?;
            Ok(())
        }
    }
    let log = Log::begin();
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Fails(events.clone()))).await;

    let mut client = server.connect_raw("/fails").await;
    client.texts(&["block"]).await;
    read_until(&mut client, "last").await;
    assert_eq!(events.next().await, "drain");
    client.texts(&["still here"]).await;
    read_until(&mut client, "still here").await;
    client.texts(&["fail"]).await;
    assert_eq!(client.close_code().await, 1011);
    assert_eq!(
        events.next().await,
        "error handler `message` failed: message failed"
    );
    assert_eq!(events.next().await, "close 1011");
    drop(client);
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
    let log = log.text();
    for logged in ["drain failed", "error failed", "close failed"] {
        assert_eq!(log.matches(logged).count(), 1, "{logged} in {log}");
    }
}

/// Panics in a sync `drain`.
struct SyncDrain(Events);

#[ws_route("/sync-drain", broadcast = off)]
impl SyncDrain {
    fn message(&self, ws: &mut Socket) {
        block(ws);
    }
    fn drain(&self) {
        panic!("broken drain");
    }
    fn error(&self, error: &harpia::Error) {
        self.0.note(error);
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
}

/// Panics in an async `drain`, before or after it awaits.
struct AsyncDrain(Events);

#[ws_route("/async-drain/{order}", broadcast = off)]
impl AsyncDrain {
    fn message(&self, ws: &mut Socket) {
        block(ws);
    }
    async fn drain(&self, order: &str) {
        if order == "after" {
            tokio::task::yield_now().await;
        }
        panic!("broken drain");
    }
    fn error(&self, error: &harpia::Error) {
        self.0.note(error);
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
}

/// Checks that a panic in the `drain` of this path runs `error` and closes with 1011.
async fn check_drain_panic(path: &str) {
    let events = Events::new();
    let app = App::new()
        .ws(SyncDrain(events.clone()))
        .ws(AsyncDrain(events.clone()));
    let server = TestServer::start(app).await;
    let mut client = server.connect_raw(path).await;
    client.texts(&["go"]).await;
    assert_eq!(client.close_code().await, 1011);
    assert_eq!(
        events.next().await,
        "handler `drain` panicked: broken drain"
    );
    assert_eq!(events.next().await, "close 1011");
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn a_panic_in_a_sync_drain_runs_error_and_closes_with_1011() {
    check_drain_panic("/sync-drain").await;
}

#[tokio::test]
async fn a_panic_in_an_async_drain_runs_error_and_closes_with_1011() {
    check_drain_panic("/async-drain/before").await;
}

#[tokio::test]
async fn a_panic_in_a_drain_that_has_awaited_runs_error_and_closes_with_1011() {
    check_drain_panic("/async-drain/after").await;
}

#[tokio::test]
async fn data_that_panics_in_drop_does_not_stop_the_server() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("data panicked in drop");
        }
    }
    impl FromHandshake for Bomb {
        async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
            Ok(Self)
        }
    }
    struct Bombs;
    #[ws_route("/bombs", data = Bomb)]
    impl Bombs {
        fn open(&self, ws: &mut Socket<Bomb>) {
            ws.send("in");
        }
    }
    let server = TestServer::start(App::new().ws(Bombs)).await;
    for _ in 0..3 {
        let mut client = server.connect("/bombs").await;
        assert_eq!(client.text().await, "in");
        client.close().await;
    }
    within(server.shut_down()).await;
}

#[tokio::test]
async fn close_runs_even_if_dropping_a_cancelled_handler_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    struct Holds(Events);
    #[ws_route("/holds")]
    impl Holds {
        async fn message(&self) {
            let _bomb = Bomb;
            self.0.note("in");
            std::future::pending::<()>().await;
        }
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let app = App::new()
        .ws(Holds(events.clone()))
        .shutdown_timeout(Duration::from_millis(100));
    let server = TestServer::start(app).await;
    let mut client = server.connect("/holds").await;
    client.send("x").await;
    assert_eq!(events.next().await, "in");
    server.shut_down().await;
    assert_eq!(events.rest().await, ["1001"]);
}
