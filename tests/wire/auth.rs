//! The first message: until `auth` has let a peer in, it takes part in nothing.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{Events, Log, TestServer, masked};
use tokio::sync::Semaphore;

/// Lets in who says `token`, and notes what is called.
struct Guarded(Events);

#[ws_route("/guarded", auth_timeout = "1s")]
impl Guarded {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
        self.0.note(format_args!("auth {first}"));
        tokio::task::yield_now().await;
        match &*first {
            "token" => {
                ws.send("let in");
                Ok(())
            }
            "panic" => panic!("auth broke"),
            "own code" => Err(harpia::Error::close(4003, "not you").into()),
            _ => Err("wrong token".into()),
        }
    }

    fn open(&self, ws: &mut Socket) {
        ws.send("open");
    }

    fn message(&self, message: String) {
        self.0.note(message);
    }

    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(format_args!("{error:#}"));
    }
}

struct Open;

#[ws_route("/open")]
impl Open {
    fn open(&self, ws: &mut Socket) {
        ws.send("in");
    }
}

async fn guarded() -> (TestServer, Events) {
    let events = Events::new();
    let app = App::new().ws(Guarded(events.clone())).ws(Open);
    (TestServer::start(app).await, events)
}

#[tokio::test]
async fn the_first_message_is_for_auth_alone_and_then_open_is_called() {
    let (server, events) = guarded().await;
    let mut other = server.connect("/open").await;
    assert_eq!(other.text().await, "in");
    let mut other = other.active().await;
    let mut client = server.connect("/guarded").await;
    client.send("token").await;
    assert_eq!(client.text().await, "let in");
    assert_eq!(client.text().await, "open");
    client.send("hello").await;
    // The token went to nobody: the first that others hear is the second message.
    assert_eq!(other.text().await, "hello");
    assert_eq!(events.next().await, "auth token");
    assert_eq!(events.next().await, "hello");
}

#[tokio::test]
async fn before_auth_a_connection_hears_nothing_and_is_not_counted() {
    let (server, _events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    let mut other = server.connect("/open").await;
    assert_eq!(other.text().await, "in");
    let mut other = other.active().await;
    server.hub().broadcast("early");
    assert_eq!(other.text().await, "early");
    assert_eq!(server.hub().connections(), 1);
    client.send("token").await;
    assert_eq!(client.text().await, "let in");
    assert_eq!(client.text().await, "open");
    let mut client = client.active().await;
    server.hub().broadcast("now");
    assert_eq!(client.text().await, "now");
}

#[tokio::test]
async fn a_refused_token_is_1008_invalid_token_and_neither_open_nor_close_is_called() {
    for (first, told) in [
        ("no", "not authenticated: wrong token"),
        (
            "own code",
            "not authenticated: closed by the handler: 4003 not you",
        ),
    ] {
        let (server, events) = guarded().await;
        let mut client = server.connect("/guarded").await;
        client.send(first).await;
        assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
        client.close().await;
        server.shut_down().await;
        let expected = [format!("auth {first}"), told.to_owned()];
        assert_eq!(events.rest().await, expected);
    }
}

#[tokio::test]
async fn a_first_message_of_another_type_is_an_invalid_token_too() {
    let (server, events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    client.send_binary(b"token").await;
    assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
    assert_eq!(
        events.next().await,
        "not authenticated: unreadable message (1003): expected text, got binary"
    );
}

#[tokio::test]
async fn an_auth_that_panics_lets_nobody_in() {
    let (server, events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    client.send("panic").await;
    assert_eq!(client.closed().await.0, 1011);
    client.close().await;
    server.shut_down().await;
    let expected = ["auth panic", "handler `auth` panicked: auth broke"];
    assert_eq!(events.rest().await, expected);
}

#[tokio::test]
async fn silence_is_1008_auth_timeout_and_pings_are_no_excuse() {
    let (server, events) = guarded().await;
    let client = server.connect("/guarded").await;
    let mut client = client.active().await;
    assert_eq!(client.closed().await, (1008, "Auth Timeout".into()));
    client.close().await;
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn who_leaves_before_auth_is_forgotten_without_a_close() {
    let (server, events) = guarded().await;
    server.connect("/guarded").await.close().await;
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn what_comes_right_behind_the_token_waits_for_open() {
    let (server, events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    for text in ["token", "one", "two"] {
        client.send(text).await;
    }
    assert_eq!(client.text().await, "let in");
    assert_eq!(client.text().await, "open");
    for expected in ["auth token", "one", "two"] {
        assert_eq!(events.next().await, expected);
    }
}

#[tokio::test]
async fn an_auth_with_a_raw_name_guards_as_any_other() {
    struct RawName;
    #[ws_route("/raw-name", broadcast = off)]
    impl RawName {
        async fn r#auth(&self, first: String) -> HandlerResult {
            Err(first.into())
        }
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
    }
    let server = TestServer::start(App::new().ws(RawName)).await;
    let mut client = server.connect("/raw-name").await;
    client.send("token").await;
    assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
}

/// Waits in `auth` for as long as it is told to, and tells what is called.
struct Slow {
    events: Events,
    gate: Arc<Semaphore>,
}

#[ws_route("/slow", auth_timeout = "2s", max_message = "1MiB")]
impl Slow {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
        let _dropped = Dropped(&self.events);
        self.events.note("auth");
        match &*first {
            "closed" => ws.close(4000, "not now"),
            "disconnected" => {
                ws.hub().disconnect(ws.id(), 4000, "not now");
                while ws.is_open() {
                    tokio::task::yield_now().await;
                }
            }
            "reset" => {
                while ws.send("still there?").is_accepted() {
                    tokio::task::yield_now().await;
                }
            }
            "for ever" => std::future::pending().await,
            _ => self.gate.acquire().await?.forget(),
        }
        Ok(())
    }

    fn open(&self, ws: &mut Socket) {
        self.events.note("open");
        ws.send("in");
    }

    fn message(&self, message: String) {
        self.events.note(message);
    }

    fn close(&self) {
        self.events.note("close");
    }

    fn error(&self, error: &harpia::Error) {
        self.events.note(format_args!("{error:#}"));
    }
}

/// Notes that `auth` is over, or was dropped half-way.
struct Dropped<'a>(&'a Events);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.note("auth over");
    }
}

async fn slow() -> (TestServer, Events, Arc<Semaphore>) {
    let (events, gate) = (Events::new(), Arc::new(Semaphore::new(0)));
    let slow = Slow {
        events: events.clone(),
        gate: Arc::clone(&gate),
    };
    (TestServer::start(App::new().ws(slow)).await, events, gate)
}

#[tokio::test]
async fn who_is_closed_in_auth_is_neither_opened_nor_told_of_its_close() {
    for first in ["closed", "disconnected"] {
        let (server, events, _gate) = slow().await;
        let mut client = server.connect("/slow").await;
        client.send(first).await;
        assert_eq!(client.closed().await, (4000, "not now".into()));
        client.close().await;
        server.shut_down().await;
        assert_eq!(events.rest().await, ["auth", "auth over"]);
    }
}

#[tokio::test]
async fn who_closes_right_behind_its_token_is_not_opened() {
    let (server, events, gate) = slow().await;
    let mut client = server.connect_raw("/slow").await;
    let mut bytes = masked(0x81, b"token");
    bytes.extend(masked(0x88, &1000u16.to_be_bytes()));
    client.write(&bytes).await;
    gate.add_permits(1);
    assert_eq!(client.close_code().await, 1000);
    server.shut_down().await;
    assert_eq!(events.rest().await, ["auth", "auth over"]);
}

#[tokio::test]
async fn a_close_that_comes_in_parts_is_waited_for() {
    let (server, events, gate) = slow().await;
    let mut client = server.connect_raw("/slow").await;
    let close = masked(0x88, &1000u16.to_be_bytes());
    client
        .write(&[&masked(0x81, b"token"), &close[..3]].concat())
        .await;
    gate.add_permits(1);
    for expected in ["auth", "auth over"] {
        assert_eq!(events.next().await, expected);
    }
    client.write(&close[3..]).await;
    assert_eq!(client.close_code().await, 1000);
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn who_is_gone_when_auth_returns_is_not_opened() {
    let (server, events, _gate) = slow().await;
    let mut client = server.connect_raw("/slow").await;
    client.write(&masked(0x81, b"reset")).await;
    assert_eq!(events.next().await, "auth");
    client.reset();
    assert_eq!(events.next().await, "auth over");
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn who_says_something_before_it_closes_is_opened_and_heard() {
    let (server, events, gate) = slow().await;
    gate.add_permits(1);
    let mut client = server.connect_raw("/slow").await;
    let mut bytes = masked(0x81, b"token");
    bytes.extend(masked(0x81, b"hello"));
    bytes.extend(masked(0x88, &1000u16.to_be_bytes()));
    client.write(&bytes).await;
    for expected in ["auth", "auth over", "open", "hello", "close"] {
        assert_eq!(events.next().await, expected);
    }
    drop(server);
}

#[tokio::test]
async fn an_auth_that_never_returns_is_dropped_and_1008_auth_timeout() {
    let (server, events, _gate) = slow().await;
    let mut client = server.connect("/slow").await;
    client.send("for ever").await;
    assert_eq!(client.closed().await, (1008, "Auth Timeout".into()));
    client.close().await;
    server.shut_down().await;
    let told = "not authenticated: `auth` did not return within `auth_timeout`";
    assert_eq!(events.rest().await, ["auth", "auth over", told]);
}

#[tokio::test]
async fn a_first_message_has_16_kib_and_the_next_as_much_as_the_route_allows() {
    let (server, events, gate) = slow().await;
    gate.add_permits(1);
    let mut client = server.connect("/slow").await;
    client.send(&"t".repeat(16 * 1024)).await;
    assert_eq!(client.text().await, "in");
    let long = "m".repeat(17 * 1024);
    client.send(&long).await;
    for expected in ["auth", "auth over", "open", &long] {
        assert_eq!(events.next().await, expected);
    }
}

#[tokio::test]
async fn a_longer_first_message_is_1009_as_soon_as_it_says_so() {
    let (server, events, _gate) = slow().await;
    let mut client = server.connect_raw("/slow").await;
    let length = (16 * 1024 + 1u16).to_be_bytes();
    client
        .write(&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0])
        .await;
    assert_eq!(client.close_code().await, 1009);
    server.shut_down().await;
    assert_eq!(events.rest().await.len(), 1, "`error` alone is told");
}

#[tokio::test]
async fn a_first_message_is_no_longer_than_a_route_allows_at_all() {
    struct Narrow;
    #[ws_route("/narrow", max_message = 10)]
    impl Narrow {
        async fn auth(&self, _first: String) -> HandlerResult {
            Ok(())
        }
    }
    let server = TestServer::start(App::new().ws(Narrow)).await;
    let mut client = server.connect("/narrow").await;
    client.send("eleven byte").await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn a_token_that_is_sent_as_another_type_is_in_no_log() {
    #[derive(serde::Deserialize)]
    struct Login {
        token: String,
    }
    struct ByJson;
    #[ws_route("/by-json")]
    impl ByJson {
        async fn auth(&self, ws: &mut Socket, Json(first): Json<Login>) -> HandlerResult {
            ws.send(first.token);
            Ok(())
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(ByJson)).await;
    for first in [
        r#""hunter2""#,
        r#"{"token":["hunter2"]}"#,
        r#"{"token":"hunter2"#,
    ] {
        let mut client = server.connect("/by-json").await;
        client.send(first).await;
        assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
    }
    let text = log.text();
    assert!(text.contains("invalid data at line 1 column"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
