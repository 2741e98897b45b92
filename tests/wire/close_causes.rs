//! Close causes: each is logged once, and if several coincide, one of them decides.

use std::sync::Arc;
use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{Events, Log, RawClient, TestServer, masked, within};
use tokio::sync::Semaphore;

/// Closes for the cause that the client's message or bytes select.
struct Cases(Events);

#[ws_route("/cases", broadcast = off, max_message = "1KiB", rate = "5/s")]
impl Cases {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        ws.send("welcome");
    }
    fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        match &*message {
            "close" => ws.close(4000, "bye"),
            "fail" => return Err("it failed".into()),
            "panic" => panic!("it panicked"),
            "expire" => ws.expire_at(1),
            "deadline" => ws.deadline(Duration::from_millis(1), 4002, "late"),
            _ => {}
        }
        Ok(())
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
    fn error(&self, error: &harpia::Error) {
        self.0.note(format_args!("error {}", error.close_code()));
    }
}

/// Closes one connection with `act`; returns its line in the log and the calls of its handlers.
async fn close_by(act: impl AsyncFnOnce(&TestServer, &mut RawClient)) -> (String, Vec<String>) {
    let log = Log::begin();
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Cases(events.clone()))).await;
    let mut client = server.connect_raw("/cases").await;
    client.read_frame().await;
    act(&server, &mut client).await;
    let mut calls = vec![events.next().await];
    while calls.iter().all(|call| !call.starts_with("close")) {
        calls.push(events.next().await);
    }
    let text = log.text();
    let mut lines = text
        .lines()
        .filter(|line| line.contains("connection closed"));
    let line = lines.next().expect("a line for the close").to_owned();
    assert_eq!(lines.next(), None, "only one line for the close");
    (line, calls)
}

/// Makes a test of one cause: its log level, its name in the log, and the calls of the handlers.
macro_rules! causes {
    ($name:ident, $level:literal, $cause:literal, [$($call:literal),*], $act:expr) => {
        #[tokio::test]
        async fn $name() {
            let (line, calls) = close_by($act).await;
            assert!(line.contains($level), "{line}");
            assert!(line.contains(concat!("cause=\"", $cause, "\"")), "{line}");
            assert!(line.contains("route=\"/cases\""), "{line}");
            assert!(line.contains("connection="), "{line}");
            assert_eq!(calls, [$($call),*]);
        }
    };
}

causes!(
    a_close_by_the_client_is_logged_at_debug,
    "DEBUG",
    "client",
    ["close 1000"],
    async |_, client| client.write(&masked(0x88, &1000u16.to_be_bytes())).await
);

causes!(
    a_lost_connection_is_logged_at_debug,
    "DEBUG",
    "lost",
    ["close 1006"],
    async |_, client| client.finish().await
);

causes!(
    a_close_by_a_handler_is_logged_at_debug,
    "DEBUG",
    "handler",
    ["close 4000"],
    async |_, client| client.texts(&["close"]).await
);

causes!(
    a_disconnect_is_logged_at_debug,
    "DEBUG",
    "disconnect",
    ["close 4003"],
    async |server, _| server.hub().disconnect_topic("topic", 4003, "over")
);

causes!(
    a_shutdown_is_logged_at_debug,
    "DEBUG",
    "shutdown",
    ["close 1001"],
    async |server, _| server.hub().shutdown()
);

causes!(
    a_deadline_is_logged_at_info,
    "INFO",
    "deadline",
    ["close 4002"],
    async |_, client| client.texts(&["deadline"]).await
);

causes!(
    an_expired_token_is_logged_at_info,
    "INFO",
    "expired",
    ["close 4401"],
    async |_, client| client.texts(&["expire"]).await
);

causes!(
    an_exceeded_message_rate_is_logged_at_info,
    "INFO",
    "rate_limit",
    ["error 1008", "close 1008"],
    async |_, client| client.texts(&["x"; 6]).await
);

causes!(
    an_oversized_message_is_logged_at_info,
    "INFO",
    "too_big",
    ["error 1009", "close 1009"],
    async |_, client| client.write(&masked(0x81, &[b'x'; 1025])).await
);

causes!(
    a_protocol_error_is_logged_at_info,
    "INFO",
    "protocol",
    ["error 1002", "close 1002"],
    async |_, client| client.write(&masked(0x83, b"")).await
);

causes!(
    a_message_of_the_wrong_type_is_logged_at_info,
    "INFO",
    "invalid_message",
    ["error 1003", "close 1003"],
    async |_, client| client.write(&masked(0x82, b"binary")).await
);

causes!(
    a_handler_error_is_logged_at_info,
    "INFO",
    "handler_error",
    ["error 1011", "close 1011"],
    async |_, client| client.texts(&["fail"]).await
);

causes!(
    a_handler_panic_is_logged_at_warn,
    "WARN",
    "handler_panic",
    ["error 1011", "close 1011"],
    async |_, client| client.texts(&["panic"]).await
);

/// Closes for several causes at once. `close` notes the code and the reason.
struct Several(Events);

#[ws_route("/several")]
impl Several {
    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
    fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        match &*message {
            "close and fail" => {
                ws.close(4000, "bye");
                Err("too late")?;
            }
            "close and panic" => {
                ws.close(4000, "bye");
                panic!("too late");
            }
            "fail" => Err("it failed")?,
            "disconnect and shutdown" => {
                ws.hub().disconnect(ws.id(), 4000, "bye");
                ws.hub().shutdown();
            }
            "all" => {
                ws.hub().shutdown();
                ws.hub().disconnect(ws.id(), 4000, "bye");
                ws.peer().close(4001, "bye");
                ws.close(4002, "bye");
                Err("too late")?;
            }
            _ => ws.close(4000, "bye"),
        }
        Ok(())
    }
    fn close(&self, ws: &mut Socket, code: CloseCode, reason: &str) {
        ws.close(4999, "again");
        ws.hub().disconnect(ws.id(), 4999, "again");
        self.0.note(format_args!("{code} {reason}"));
    }
}

async fn client_of_several(server: &TestServer) -> RawClient {
    let mut client = server.connect_raw("/several").await;
    let greeting = client.read_frame().await.expect("a frame");
    assert_eq!(greeting.text(), "welcome");
    client
}

/// A close frame of the client with the code 4005.
fn close_4005() -> Vec<u8> {
    masked(0x88, &4005u16.to_be_bytes())
}

#[tokio::test]
async fn close_runs_exactly_once_when_several_causes_coincide() {
    for (message, expected) in [
        ("close", &["4000 bye"][..]),
        ("close and fail", &["4000 bye"]),
        ("close and panic", &["4000 bye"]),
        ("fail", &["1011 "]),
        // The hub closes through the flusher thread, so the client's close frame may come first.
        (
            "disconnect and shutdown",
            &["4000 bye", "1001 Server Shutdown", "4005 "],
        ),
        ("all", &["4001 bye", "1001 Server Shutdown"]),
    ] {
        // After the message the client sends nothing, or its own close frame.
        for next in [Vec::new(), close_4005()] {
            let events = Events::new();
            let server = TestServer::start(App::new().ws(Several(events.clone()))).await;
            let mut client = client_of_several(&server).await;
            let bytes = [masked(0x81, message.as_bytes()), next].concat();
            client.write(&bytes).await;
            let received = client.close_code().await;
            drop(client);
            server.shut_down().await;
            let calls = events.rest().await;
            assert_eq!(calls.len(), 1, "{message}: {calls:?}");
            assert!(expected.contains(&&*calls[0]), "{message}: {calls:?}");
            let is_same = calls[0].starts_with(&format!("{received} "));
            assert!(is_same, "{message}: {received}, but {calls:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_runs_exactly_once_when_client_and_server_close_together() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Several(events.clone()))).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(client_of_several(&server).await);
    }
    let hub = server.hub().clone();
    let shutting_down = tokio::task::spawn_blocking(move || hub.shutdown());
    for client in &mut clients {
        client.try_write(&close_4005()).await;
    }
    within(shutting_down).await.unwrap();
    let mut received = Vec::new();
    for client in &mut clients {
        received.push(match client.close_code().await {
            1001 => "1001 Server Shutdown".to_owned(),
            code => format!("{code} "),
        });
    }
    drop(clients);
    server.shut_down().await;
    let mut calls = events.rest().await;
    // Either side may be first, but the client and the `close` handler get the same code.
    received.sort();
    calls.sort();
    assert_eq!(calls, received);
    let expected = ["1001 Server Shutdown", "4005 "];
    let is_expected = |call: &String| expected.contains(&&**call);
    assert!(calls.iter().all(is_expected), "{calls:?}");
}

struct Greets;

#[ws_route("/greets")]
impl Greets {
    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

/// Closes its connection in `message`, and then waits for a permit.
struct ClosesAndWaits(Arc<Semaphore>, Events);

#[ws_route("/closes-and-waits")]
impl ClosesAndWaits {
    async fn message(&self, ws: &mut Socket, message: String) {
        match &*message {
            "socket" => ws.close(4000, "bye"),
            "peer" => ws.peer().close(4000, "bye"),
            _ => ws.hub().disconnect(ws.id(), 4000, "bye"),
        }
        self.1.note("closing");
        drop(self.0.acquire().await);
    }
}

#[tokio::test]
async fn a_closing_connection_receives_no_broadcast_and_is_not_counted() {
    for closes_by in ["socket", "peer", "hub"] {
        let (gate, events) = (Arc::new(Semaphore::new(0)), Events::new());
        let app = App::new()
            .ws(ClosesAndWaits(gate.clone(), events.clone()))
            .ws(Greets);
        let server = TestServer::start(app).await;
        let mut other = server.connect("/greets").await;
        assert_eq!(other.text().await, "welcome");
        let mut other = other.active().await;
        let mut client = server.join("/closes-and-waits").await;
        client.send(closes_by).await;
        assert_eq!(events.next().await, "closing");
        server.hub().broadcast("late");
        assert_eq!(other.text().await, "late", "{closes_by}");
        assert_eq!(server.hub().connections(), 1, "{closes_by}");
        gate.add_permits(1);
        let closed = client.closed().await;
        assert_eq!(closed, (4000, "bye".into()), "{closes_by}");
    }
}
