//! `open`, `message`, `close`, `error`: when each is called, how often, and with what.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harpia::prelude::*;
use harpia_tests::{Events, TestServer, within};
use tokio::sync::Semaphore;

/// Tells the test of everything, and does what a message says.
struct Recorder(Events);

#[ws_route("/record")]
impl Recorder {
    fn open(&self) {
        self.0.note("open");
    }

    async fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        self.0.note(format_args!("message {message}"));
        match &*message {
            "fail" => Err("it failed")?,
            "refuse" => None.or_close(4001, "no such thing")?,
            "panic" => panic!("it panicked"),
            "close" => ws.close(4002, "as you wish"),
            "sent" => drop(ws.send("sent")),
            _ => {}
        }
        Ok(())
    }

    async fn close(&self, code: CloseCode, reason: &str) {
        self.0.note(format_args!("close {code} {reason}"));
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(format_args!("error {error:#}"));
    }
}

async fn recorder() -> (TestServer, Events) {
    let events = Events::new();
    let app = App::new().ws(Recorder(events.clone()));
    (TestServer::start(app).await, events)
}

#[tokio::test]
async fn open_message_and_close_are_called_in_order() {
    let (server, events) = recorder().await;
    let mut client = server.connect("/record").await;
    client.send("a").await;
    client.send("b").await;
    assert_eq!(client.close_with(4000, "bye").await, (4000, "bye".into()));
    for event in ["open", "message a", "message b", "close 4000 bye"] {
        assert_eq!(events.next().await, event);
    }
}

#[tokio::test]
async fn close_gets_1005_for_a_close_frame_without_a_code() {
    let (server, events) = recorder().await;
    server.connect("/record").await.close().await;
    assert_eq!(events.next().await, "open");
    assert_eq!(events.next().await, "close 1005 ");
}

#[tokio::test]
async fn close_gets_1006_for_a_lost_connection() {
    let (server, events) = recorder().await;
    let client = server.connect_raw("/record").await;
    assert_eq!(events.next().await, "open");
    client.reset();
    assert_eq!(events.next().await, "close 1006 ");
    let client = server.connect_raw("/record").await;
    assert_eq!(events.next().await, "open");
    drop(client);
    assert_eq!(events.next().await, "close 1006 ");
}

#[tokio::test]
async fn an_error_in_message_runs_error_and_closes_with_1011() {
    let (server, events) = recorder().await;
    let mut client = server.connect("/record").await;
    client.send("fail").await;
    assert_eq!(client.closed().await.0, 1011);
    assert_eq!(events.next().await, "open");
    assert_eq!(events.next().await, "message fail");
    let error = events.next().await;
    assert!(
        error.starts_with("error") && error.ends_with("it failed"),
        "{error}"
    );
    assert!(events.next().await.starts_with("close 1011"));
}

#[tokio::test]
async fn an_error_with_a_close_code_closes_with_that_code() {
    let (server, events) = recorder().await;
    let mut client = server.connect("/record").await;
    client.send("refuse").await;
    assert_eq!(client.closed().await, (4001, "no such thing".into()));
    assert_eq!(events.next().await, "open");
    assert_eq!(events.next().await, "message refuse");
    assert!(events.next().await.starts_with("error"));
    assert_eq!(events.next().await, "close 4001 no such thing");
}

#[tokio::test]
async fn a_panic_in_message_closes_only_its_own_connection_with_1011() {
    let (server, events) = recorder().await;
    let (mut one, mut two) = (
        server.connect("/record").await,
        server.connect("/record").await,
    );
    one.send("panic").await;
    assert_eq!(one.closed().await.0, 1011);
    let expected = ["open", "open", "message panic"];
    for event in expected {
        assert_eq!(events.next().await, event);
    }
    let error = events.next().await;
    assert!(
        error.contains("message") && error.contains("it panicked"),
        "{error}"
    );
    assert!(events.next().await.starts_with("close 1011"));
    two.send("sent").await;
    assert_eq!(two.text().await, "sent");
}

#[tokio::test]
async fn messages_after_a_close_are_not_handled() {
    let (server, events) = recorder().await;
    let mut client = server.connect_raw("/record").await;
    client.frame(0x81, b"close").await;
    client.frame(0x81, b"late").await;
    assert_eq!(client.close_code().await, 4002);
    assert_eq!(events.next().await, "open");
    assert_eq!(events.next().await, "message close");
    assert_eq!(events.next().await, "close 4002 as you wish");
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
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
                Err("to reach it")?
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
    assert!(events.next().await.contains("to reach it"));
    assert_eq!(events.next().await, "error 1011");

    let mut client = server.connect("/fine").await;
    assert_eq!(client.close_with(1000, "").await.0, 1000);
    assert_eq!(events.next().await, "fine 1000");
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn a_route_without_open_accepts_connections() {
    struct NoOpen;
    #[ws_route("/no-open")]
    impl NoOpen {
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(message);
        }
    }
    let server = TestServer::start(App::new().ws(NoOpen)).await;
    let mut client = server.connect("/no-open").await;
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test]
async fn a_route_without_close_leaks_no_connection() {
    struct NoClose;
    #[ws_route("/no-close")]
    impl NoClose {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
    }
    // With room for two, the third gets in only when the first two are gone for good.
    let server = TestServer::start(App::new().ws(NoClose).max_connections(2)).await;
    for _ in 0..10 {
        let (mut one, mut two) = (
            server.connect("/no-close").await,
            server.connect("/no-close").await,
        );
        assert_eq!(
            (one.text().await, two.text().await),
            ("in".into(), "in".into())
        );
        let (one, two) = (one.active().await, two.active().await);
        assert_eq!(server.hub().connections(), 2);
        one.close().await;
        drop(two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_of_one_connection_run_one_at_a_time_and_in_order() {
    struct Slow {
        running: AtomicUsize,
    }
    #[ws_route("/slow", broadcast = off, rate = off)]
    impl Slow {
        async fn message(&self, ws: &mut Socket, message: String) {
            assert_eq!(
                self.running.fetch_add(1, Ordering::SeqCst),
                0,
                "they overlap"
            );
            for _ in 0..message.len() {
                tokio::task::yield_now().await;
            }
            self.running.fetch_sub(1, Ordering::SeqCst);
            ws.send(message);
        }
    }
    let slow = Slow {
        running: AtomicUsize::new(0),
    };
    let server = TestServer::start(App::new().ws(slow)).await;
    let mut client = server.connect("/slow").await;
    for number in 0..200 {
        // The later a message, the shorter its handler waits.
        client
            .send(&format!("{number:0width$}", width = 3 + (200 - number) / 4))
            .await;
    }
    for number in 0..200 {
        assert_eq!(client.text().await.parse::<usize>(), Ok(number));
    }
}

#[tokio::test]
async fn broadcasts_arrive_while_a_handler_waits() {
    struct Waits(Arc<Semaphore>);
    #[ws_route("/waits")]
    impl Waits {
        async fn message(&self, ws: &mut Socket, message: String) {
            if message == "wait" {
                ws.send("waiting");
                let passed = self.0.acquire().await;
                ws.send(if passed.is_ok() { "passed" } else { "closed" });
            }
        }
    }
    let gate = Arc::new(Semaphore::new(0));
    let server = TestServer::start(App::new().ws(Waits(Arc::clone(&gate)))).await;
    let (mut one, mut two) = (
        server.connect("/waits").await,
        server.connect("/waits").await,
    );
    one.send("wait").await;
    assert_eq!(one.text().await, "waiting");
    two.send("hello").await;
    assert_eq!(one.text().await, "hello");
    gate.add_permits(1);
    assert_eq!(one.text().await, "passed");
}

#[tokio::test]
async fn queued_replies_are_written_before_a_handler_waits() {
    struct Waits(Arc<Semaphore>);
    #[ws_route("/waits", broadcast = off)]
    impl Waits {
        async fn message(&self, ws: &mut Socket, message: String) {
            let waits = message == "wait";
            ws.send(message);
            if waits {
                drop(self.0.acquire().await);
                ws.send("passed");
            }
        }
    }
    let gate = Arc::new(Semaphore::new(0));
    let server = TestServer::start(App::new().ws(Waits(Arc::clone(&gate)))).await;
    let mut client = server.connect_raw("/waits").await;
    client.texts(&["a", "b", "wait", "c", "d"]).await;
    for text in ["a", "b", "wait"] {
        assert_eq!(client.read_frame().await.unwrap().text(), text);
    }
    gate.add_permits(1);
    for text in ["passed", "c", "d"] {
        assert_eq!(client.read_frame().await.unwrap().text(), text);
    }
}

#[tokio::test]
async fn a_connection_is_not_read_while_its_handler_waits() {
    struct Stuck(Arc<Semaphore>, Events);
    #[ws_route("/stuck", broadcast = off, rate = off)]
    impl Stuck {
        async fn message(&self, message: Bytes) {
            self.1.note(message.len());
            drop(self.0.acquire().await);
        }
    }
    let (gate, events) = (Arc::new(Semaphore::new(0)), Events::new());
    let app = App::new().ws(Stuck(Arc::clone(&gate), events.clone()));
    let server = TestServer::start(app).await;
    let mut client = server.connect_raw("/stuck").await;
    // More than the buffers of both kernels hold: if harpia read on, all of this would be taken.
    let message = vec![0; 60_000];
    let flood = async {
        for _ in 0..2_000 {
            client.frame(0x82, &message).await;
        }
    };
    let stalled = tokio::time::timeout(std::time::Duration::from_millis(500), flood).await;
    assert!(stalled.is_err(), "all was read while a handler waited");
    assert_eq!(events.next().await, "60000");
    assert_eq!(events.rest().await, [""; 0]);
    gate.add_permits(1_000_000);
}

#[tokio::test]
async fn a_handler_with_a_large_future_works() {
    struct Large;
    #[ws_route("/large", broadcast = off)]
    impl Large {
        async fn message(&self, ws: &mut Socket, message: String) {
            let buffer = [7u8; 64 * 1024];
            tokio::task::yield_now().await;
            ws.send(format!("{message} {}", buffer[buffer.len() - 1]));
        }
    }
    let server = TestServer::start(App::new().ws(Large)).await;
    let mut client = server.connect("/large").await;
    client.send("hello").await;
    assert_eq!(client.text().await, "hello 7");
}

#[tokio::test]
async fn data_that_panics_in_drop_does_not_stop_the_server() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("data broke in drop");
        }
    }
    impl FromHandshake for Bomb {
        async fn from_handshake(
            _: &harpia::extract::Handshake,
        ) -> Result<Self, harpia::extract::Rejection> {
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
