//! Handlers that fail where that ends nothing, and where a panic ends one connection.

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Events, Log, RawClient, TestServer};

/// Sends until so much waits that the client has to read; then `drain` is due.
fn block(ws: &Socket) {
    while !matches!(
        ws.send("x".repeat(32 * 1024)),
        SendStatus::Queued(500_000..)
    ) {}
    ws.send("last");
}

async fn read_until(client: &mut RawClient, text: &str) {
    while client.read_frame().await.expect("it comes").text() != text {}
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

#[tokio::test]
async fn a_panic_in_drain_reaches_error_and_closes_with_1011() {
    struct Fragile(Events);
    #[ws_route("/{how}", broadcast = off)]
    impl Fragile {
        fn message(&self, ws: &mut Socket) {
            block(ws);
        }
        async fn drain(&self, how: &str) {
            if how == "later" {
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
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Fragile(events.clone()))).await;
    for path in ["/now", "/later"] {
        let mut client = server.connect_raw(path).await;
        client.texts(&["go"]).await;
        assert_eq!(client.close_code().await, 1011);
        assert_eq!(
            events.next().await,
            "handler `drain` panicked: broken drain"
        );
        assert_eq!(events.next().await, "close 1011");
    }
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn a_panic_in_a_drain_that_never_waits_does_the_same() {
    struct Fragile(Events);
    #[ws_route("/fragile", broadcast = off)]
    impl Fragile {
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
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Fragile(events.clone()))).await;
    let mut client = server.connect_raw("/fragile").await;
    client.texts(&["go"]).await;
    assert_eq!(client.close_code().await, 1011);
    assert_eq!(
        events.next().await,
        "handler `drain` panicked: broken drain"
    );
    assert_eq!(events.next().await, "close 1011");
}
