//! The `auth` handler and the first message: until `auth` returns `Ok`, a connection takes part
//! in nothing.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{Events, TestServer, masked};
use tokio::sync::Semaphore;

/// Authenticates clients that send `token`, and notes every call.
struct Guarded(Events);

#[ws_route("/guarded", auth_timeout = "1s")]
impl Guarded {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
        self.0.note(format_args!("auth {first}"));
        tokio::task::yield_now().await;
        match &*first {
            "token" => {
                ws.send("authenticated");
                Ok(())
            }
            "panic" => panic!("auth panicked"),
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
async fn only_auth_gets_the_first_message_and_open_follows() {
    let (server, events) = guarded().await;
    let mut other = server.connect("/open").await;
    assert_eq!(other.text().await, "in");
    let mut other = other.active().await;
    let mut client = server.connect("/guarded").await;
    client.send("token").await;
    assert_eq!(client.text().await, "authenticated");
    assert_eq!(client.text().await, "open");
    client.send("hello").await;
    // The token is not broadcast, so the other client receives the second message first.
    assert_eq!(other.text().await, "hello");
    assert_eq!(events.next().await, "auth token");
    assert_eq!(events.next().await, "hello");
}

#[tokio::test]
async fn an_unauthenticated_connection_receives_no_broadcast_and_is_not_counted() {
    let (server, _events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    let mut other = server.connect("/open").await;
    assert_eq!(other.text().await, "in");
    let mut other = other.active().await;
    server.hub().broadcast("early");
    assert_eq!(other.text().await, "early");
    assert_eq!(server.hub().connections(), 1);
    client.send("token").await;
    assert_eq!(client.text().await, "authenticated");
    assert_eq!(client.text().await, "open");
    let mut client = client.active().await;
    server.hub().broadcast("now");
    assert_eq!(client.text().await, "now");
}

#[tokio::test]
async fn a_rejected_token_closes_with_1008_and_calls_neither_open_nor_close() {
    for (first, error) in [
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
        let expected = [format!("auth {first}"), error.to_owned()];
        assert_eq!(events.rest().await, expected);
    }
}

#[tokio::test]
async fn a_first_message_of_the_wrong_type_is_an_invalid_token() {
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
async fn a_panic_in_auth_closes_with_1011_without_calling_open() {
    let (server, events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    client.send("panic").await;
    assert_eq!(client.closed().await.0, 1011);
    client.close().await;
    server.shut_down().await;
    let expected = ["auth panic", "handler `auth` panicked: auth panicked"];
    assert_eq!(events.rest().await, expected);
}

#[tokio::test]
async fn a_client_that_sends_only_pings_is_closed_with_1008_auth_timeout() {
    let (server, events) = guarded().await;
    let client = server.connect("/guarded").await;
    let mut client = client.active().await;
    assert_eq!(client.closed().await, (1008, "Auth Timeout".into()));
    client.close().await;
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn close_is_not_called_for_a_client_that_leaves_before_auth() {
    let (server, events) = guarded().await;
    server.connect("/guarded").await.close().await;
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn messages_sent_right_after_the_token_wait_for_open() {
    let (server, events) = guarded().await;
    let mut client = server.connect("/guarded").await;
    for text in ["token", "one", "two"] {
        client.send(text).await;
    }
    assert_eq!(client.text().await, "authenticated");
    assert_eq!(client.text().await, "open");
    for expected in ["auth token", "one", "two"] {
        assert_eq!(events.next().await, expected);
    }
}

#[tokio::test]
async fn an_auth_handler_with_a_raw_identifier_is_called() {
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

/// Waits in `auth` as the first message says, and notes every call.
struct Slow {
    events: Events,
    gate: Arc<Semaphore>,
}

#[ws_route("/slow", auth_timeout = "2s", max_message = "1MiB")]
impl Slow {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
        let _notes_drop = NotesDrop(&self.events);
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
            "forever" => std::future::pending().await,
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

/// Notes when `auth` has returned or was cancelled.
struct NotesDrop<'a>(&'a Events);

impl Drop for NotesDrop<'_> {
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
async fn neither_open_nor_close_is_called_for_a_connection_closed_in_auth() {
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
async fn open_is_not_called_if_a_close_frame_follows_the_token() {
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
async fn open_waits_for_the_rest_of_a_partial_close_frame() {
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
async fn open_is_not_called_if_the_client_is_gone_when_auth_returns() {
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
async fn a_message_between_the_token_and_the_close_frame_is_handled() {
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
async fn an_auth_that_never_returns_is_cancelled_with_1008_auth_timeout() {
    let (server, events, _gate) = slow().await;
    let mut client = server.connect("/slow").await;
    client.send("forever").await;
    assert_eq!(client.closed().await, (1008, "Auth Timeout".into()));
    client.close().await;
    server.shut_down().await;
    let error = "not authenticated: `auth` did not return within `auth_timeout`";
    assert_eq!(events.rest().await, ["auth", "auth over", error]);
}

#[tokio::test]
async fn the_first_message_is_limited_to_16_kib_and_later_ones_by_the_route() {
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
async fn a_first_message_over_16_kib_closes_with_1009_once_its_length_is_announced() {
    let (server, events, _gate) = slow().await;
    let mut client = server.connect_raw("/slow").await;
    let length = (16 * 1024 + 1u16).to_be_bytes();
    client
        .write(&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0])
        .await;
    assert_eq!(client.close_code().await, 1009);
    drop(client);
    server.shut_down().await;
    assert_eq!(events.rest().await.len(), 1, "only `error` is called");
}

#[tokio::test]
async fn a_smaller_max_message_also_limits_the_first_message() {
    struct Narrow;
    #[ws_route("/narrow", max_message = 10)]
    impl Narrow {
        async fn auth(&self, _first: String) -> HandlerResult {
            Ok(())
        }
    }
    let server = TestServer::start(App::new().ws(Narrow)).await;
    let mut client = server.connect("/narrow").await;
    client.send("eleven long").await;
    assert_eq!(client.closed().await.0, 1009);
}
