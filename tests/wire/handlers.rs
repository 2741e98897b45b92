//! Handlers: when each is called, with what, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harpia::prelude::*;
use harpia_tests::{Events, Log, TestServer, masked};
use tokio::sync::Semaphore;

/// Notes every call.
struct Recorder(Events);

#[ws_route("/record")]
impl Recorder {
    fn open(&self) {
        self.0.note("open");
    }

    fn message(&self, ws: &mut Socket, message: String) {
        self.0.note(format_args!("message {message}"));
        if message == "close" {
            ws.close(4002, "as you wish");
        }
    }

    async fn close(&self, code: CloseCode, reason: &str) {
        self.0.note(format_args!("close {code} {reason}"));
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
    // The limit is two connections, so each round connects only if the last round's are gone.
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
                "two handlers run at the same time"
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
        // Handlers of later messages take less time.
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
    // 120 MB is more than all socket buffers hold, so the writes finish only if the server reads.
    let message = vec![0; 60_000];
    let flood = async {
        for _ in 0..2_000 {
            client.frame(0x82, &message).await;
        }
    };
    let flooded = tokio::time::timeout(Duration::from_millis(500), flood).await;
    assert!(flooded.is_err(), "the server read while a handler waited");
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
async fn log_lines_of_a_handler_name_its_connection_and_route() {
    struct Logging;
    #[ws_route("/logging/{kind}", broadcast = off)]
    impl Logging {
        fn connect(&self) -> HandlerResult {
            tracing::info!("from connect");
            Ok(())
        }

        fn open(&self, ws: &mut Socket) {
            tracing::info!("from open");
            ws.send(ws.id().to_string());
        }

        async fn message(&self, ws: &mut Socket, _message: String) {
            tokio::task::yield_now().await;
            tracing::info!("from message");
            ws.send("done");
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Logging)).await;
    let mut client = server.connect("/logging/a").await;
    let id = client.text().await;
    client.send("go").await;
    assert_eq!(client.text().await, "done");
    let text = log.text();
    let line = |end: &str| {
        let line = text.lines().find(|line| line.ends_with(end));
        line.unwrap_or_else(|| panic!("no line {end:?}"))
    };
    let route = r#"route="/logging/{kind}""#;
    let span = format!("handler{{connection={id} {route}}}");
    assert!(line("from open").contains(&span), "{text}");
    assert!(line("from message").contains(&span), "{text}");
    let span = format!("handler{{{route}}}");
    assert!(line("from connect").contains(&span), "{text}");
}

/// Counts the messages of a flood, each of which takes 100 us.
#[derive(Default)]
struct Busy {
    handled: AtomicUsize,
}

#[ws_route("/busy", broadcast = off, rate = off, byte_rate = off)]
impl Busy {
    fn message(&self, ws: &mut Socket, message: String) {
        if message == "flood" {
            let began = Instant::now();
            while began.elapsed() < Duration::from_micros(100) {}
            self.handled.fetch_add(1, Ordering::Relaxed);
        } else {
            ws.send(self.handled.load(Ordering::Relaxed).to_string());
        }
    }
}

/// The runtime has one thread.
#[tokio::test]
async fn a_flood_of_messages_with_slow_handlers_lets_other_connections_have_their_turns() {
    let server = TestServer::start(App::new().ws(Busy::default())).await;
    let mut flooding = server.connect_raw("/busy").await;
    let mut other = server.connect("/busy").await;
    other.send("ready").await;
    assert_eq!(other.text().await, "0");
    flooding.write(&masked(0x81, b"flood").repeat(2_000)).await;
    other.send("how many before me?").await;
    let before: usize = other.text().await.parse().expect("a number");
    assert!(before < 100, "{before} messages came first");
}
