//! Time limits: a message that comes in parts, a handler, and an `open` whose client is gone.

use std::future::pending;
use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{Events, TestServer, masked, within};
use tokio::sync::Notify;
use tokio::time::timeout;

/// The first byte of a text frame that is not the last of its message.
const FIRST_FRAGMENT: u8 = 0x01;
const LAST_FRAGMENT: u8 = 0x80;
const PING: u8 = 0x89;

/// Notes when a handler's future is dropped before the handler has returned.
struct NotesDrop(Events, &'static str);

impl Drop for NotesDrop {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

struct Upload(Events);

#[ws_route("/upload", broadcast = off, message_timeout = "1s", rate = off)]
impl Upload {
    async fn message(&self, message: String) {
        if message == "wait" {
            tokio::time::sleep(Duration::from_millis(2500)).await;
        }
        self.0.note(message);
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(error);
    }
}

#[tokio::test]
async fn a_message_that_is_not_complete_after_message_timeout_closes_with_1008() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Upload(events.clone()))).await;
    let mut client = server.connect_raw("/upload").await;
    client.frame(FIRST_FRAGMENT, b"begun").await;
    // Pings and small fragments show that the client is alive, but the message is never complete.
    let mut reader = client;
    let closed = within(async {
        loop {
            reader.try_write(&masked(PING, b"")).await;
            reader.try_write(&masked(0x00, b"x")).await;
            match reader.read_frame().await {
                Some(frame) if frame.head & 0x0f == 0x08 => return frame,
                Some(_) => {}
                None => panic!("the connection ended without a close frame"),
            }
        }
    })
    .await;
    assert_eq!(closed.payload, b"\x03\xf0Message Unfinished");
    assert_eq!(
        events.next().await,
        "limit exceeded (1008): Message Unfinished"
    );
}

#[tokio::test]
async fn the_time_in_which_a_handler_waits_does_not_count_against_message_timeout() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Upload(events.clone()))).await;
    let mut client = server.connect_raw("/upload").await;
    let begun = [masked(0x81, b"wait"), masked(FIRST_FRAGMENT, b"two ")].concat();
    client.write(&begun).await;
    assert_eq!(events.next().await, "wait");
    client.frame(LAST_FRAGMENT, b"parts").await;
    assert_eq!(events.next().await, "two parts");
}

#[tokio::test]
async fn each_message_has_the_whole_message_timeout() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Upload(events.clone()))).await;
    let mut client = server.connect_raw("/upload").await;
    for number in 0..4 {
        client.frame(FIRST_FRAGMENT, b"number ").await;
        // The four messages together take longer than `message_timeout`.
        tokio::time::sleep(Duration::from_millis(400)).await;
        client
            .frame(LAST_FRAGMENT, number.to_string().as_bytes())
            .await;
        assert_eq!(events.next().await, format!("number {number}"));
    }
}

#[tokio::test]
async fn a_message_of_which_no_byte_comes_for_30_seconds_closes_with_1008() {
    struct Patient;
    #[ws_route("/patient", broadcast = off, message_timeout = off)]
    impl Patient {
        fn message(&self) {}
    }
    let server = TestServer::start(App::new().ws(Patient)).await;
    let mut client = server.connect_raw("/patient").await;
    client.frame(FIRST_FRAGMENT, b"begun").await;
    let stall = Duration::from_secs(30);
    let began = std::time::Instant::now();
    let closed = timeout(2 * stall, async {
        // Pings are no bytes of the message.
        while client.is_silent_for(Duration::from_secs(1)).await {
            client.frame(PING, b"").await;
            client.read_frame().await;
        }
        client.read_frame().await
    });
    let frame = closed.await.expect("a close").expect("a frame");
    assert_eq!(frame.payload, b"\x03\xf0Message Unfinished");
    assert!(began.elapsed() >= stall, "{:?}", began.elapsed());
}

struct Stuck(Events);

#[ws_route("/stuck/{handler}", broadcast = off, handler_timeout = "500ms")]
impl Stuck {
    async fn open(&self, ws: &mut Socket, handler: &str) {
        ws.send("opened");
        self.wait_in("open", handler).await;
    }

    async fn message(&self, handler: &str) {
        self.wait_in("message", handler).await;
    }

    async fn close(&self, handler: &str) {
        self.wait_in("close", handler).await;
        self.0.note("closed");
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(format!("{error:#}"));
    }
}

impl Stuck {
    async fn wait_in(&self, this: &'static str, stuck: &str) {
        if this == stuck {
            let _guard = NotesDrop(self.0.clone(), "dropped");
            pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn a_handler_that_exceeds_handler_timeout_is_dropped_and_closes_with_1011() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Stuck(events.clone()))).await;
    for handler in ["open", "message"] {
        let mut client = server.connect(&format!("/stuck/{handler}")).await;
        assert_eq!(client.text().await, "opened");
        if handler == "message" {
            client.send("go").await;
        }
        assert_eq!(client.closed().await.0, 1011, "{handler}");
        assert_eq!(events.next().await, "dropped");
        let error =
            format!("handler `{handler}` failed: it did not return within `handler_timeout`");
        assert_eq!(events.next().await, error);
        assert_eq!(events.next().await, "closed");
    }
}

#[tokio::test]
async fn a_close_handler_that_exceeds_handler_timeout_gives_its_place_to_the_next_client() {
    let events = Events::new();
    let app = App::new().ws(Stuck(events.clone())).max_connections(1);
    let server = TestServer::start(app).await;
    for _ in 0..2 {
        let mut client = server.connect("/stuck/close").await;
        assert_eq!(client.text().await, "opened");
        client.close().await;
        assert_eq!(events.next().await, "dropped");
    }
}

/// A route whose `open` waits until the test lets it go on.
struct Waiting {
    events: Events,
    go_on: Notify,
}

#[ws_route("/waiting", broadcast = off)]
impl Waiting {
    async fn open(&self, ws: &mut Socket) {
        self.events.note("open");
        let guard = NotesDrop(self.events.clone(), "dropped");
        self.go_on.notified().await;
        std::mem::forget(guard);
        ws.send("opened");
    }

    fn close(&self, code: CloseCode) {
        self.events.note(code);
    }
}

fn waiting() -> (std::sync::Arc<Waiting>, Events) {
    let events = Events::new();
    let route = Waiting {
        events: events.clone(),
        go_on: Notify::new(),
    };
    (std::sync::Arc::new(route), events)
}

#[tokio::test]
async fn an_open_that_waits_is_dropped_when_its_client_resets_the_connection() {
    let (route, events) = waiting();
    let app = App::new().ws(route).max_connections(1);
    let server = TestServer::start(app).await;
    for early_bytes in [&b""[..], b"not read"] {
        let mut client = server.connect_raw("/waiting").await;
        assert_eq!(events.next().await, "open");
        client.try_write(early_bytes).await;
        client.reset();
        assert_eq!(events.next().await, "dropped");
        assert_eq!(events.next().await, "1006");
    }
}

#[tokio::test]
async fn an_open_that_waits_goes_on_if_its_client_has_only_ended_its_own_side() {
    let (route, events) = waiting();
    let server = TestServer::start(App::new().ws(std::sync::Arc::clone(&route))).await;
    let mut client = server.connect_raw("/waiting").await;
    assert_eq!(events.next().await, "open");
    client.finish().await;
    // The sweep looks at each connection more than twice in this time.
    let early = timeout(Duration::from_secs(1), events.next()).await;
    assert!(early.is_err(), "{early:?}");
    route.go_on.notify_one();
    let frame = client.read_frame().await.expect("a frame");
    assert_eq!(frame.payload, b"opened");
}

struct Limited(Events);

#[ws_route("/limited/auth", broadcast = off, auth_timeout = "500ms", handler_timeout = "1min")]
impl Limited {
    async fn auth(&self, first: String) -> HandlerResult {
        let _guard = NotesDrop(self.0.clone(), "dropped");
        self.0.note(first);
        pending().await
    }
}

#[tokio::test]
async fn a_longer_handler_timeout_does_not_extend_auth_timeout() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Limited(events.clone()))).await;
    let mut client = server.connect("/limited/auth").await;
    client.send("token").await;
    assert_eq!(events.next().await, "token");
    assert_eq!(client.closed().await, (1008, "Auth Timeout".into()));
    assert_eq!(events.next().await, "dropped");
}

struct Closing(Events);

#[ws_route("/closing", broadcast = off, handler_timeout = "1min")]
impl Closing {
    async fn open(&self, ws: &mut Socket) {
        let _guard = NotesDrop(self.0.clone(), "dropped");
        ws.close(4000, "bye");
        pending::<()>().await;
    }
}

#[tokio::test]
async fn a_longer_handler_timeout_does_not_extend_the_time_of_an_open_that_has_closed() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Closing(events.clone()))).await;
    let mut client = server.connect("/closing").await;
    assert_eq!(client.closed().await, (4000, "bye".into()));
    assert_eq!(events.next().await, "dropped");
}
