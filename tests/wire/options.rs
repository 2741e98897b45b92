//! Options: a route's own value wins over the app's, and the app's over the default. An invalid
//! value is an error before anything is bound.

use std::time::Duration;

use harpia::BoxError;
use harpia::extract::{Handshake, PathValues, Rejection};
use harpia::prelude::*;
use harpia::{Error, Options, Origins, Rate, Route, SendStatus, Slow};
use harpia_tests::{Events, RawClient, TestServer};

/// A route that sets only `broadcast`.
struct Bare;

#[ws_route("/bare", broadcast = off)]
impl Bare {
    fn open(&self, ws: &mut Socket) {
        ws.send(ws.protocol().unwrap_or("in"));
    }

    fn message(&self, ws: &mut Socket, message: String) {
        ws.send(message);
    }
}

async fn config_error(app: App) -> String {
    match app.bind("127.0.0.1:0").await {
        Err(Error::Config { message }) => message,
        Err(other) => panic!("not an `Error::Config`: {other}"),
        Ok(_) => panic!("the app builds"),
    }
}

#[tokio::test]
async fn an_invalid_option_is_an_error_that_names_it_and_a_valid_value() {
    let app = || App::new().ws(Bare);
    for (app, option, valid) in [
        (
            app().origins(["example.com"]),
            "`origins`",
            "https://example.com",
        ),
        (
            app().origins(["https://app.test/"]),
            "`origins`",
            "https://example.com",
        ),
        (app().protocols(["bad name\n"]), "`protocols`", "chat.v1"),
        (
            app().protocols(["a", "b", "a"]),
            "`protocols`",
            "remove one",
        ),
        (
            app().idle_timeout(Duration::ZERO),
            "`idle_timeout`",
            "`None`",
        ),
        (app().ping(Duration::ZERO), "`ping`", "`None`"),
    ] {
        let message = config_error(app).await;
        assert!(
            message.contains(option) && message.contains(valid),
            "{message}"
        );
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

#[tokio::test]
async fn zero_max_connections_is_an_error() {
    let message = config_error(App::new().ws(Bare).max_connections(0)).await;
    assert!(message.contains("max_connections"), "{message}");
}

/// A hand-written route. The macro does not check its options.
struct ByHand<const CASE: usize>;

impl<const CASE: usize> Route for ByHand<CASE> {
    const PATH: &'static str = "/by-hand";
    const OPTIONS: Options = match CASE {
        0 => Options::new().origins(Origins::Only(&["example.com"])),
        1 => Options::new().protocols(&["bad name"]),
        2 => Options::new().idle_timeout(Some(Duration::ZERO)),
        3 => Options::new().ping(Some(Duration::ZERO)),
        _ => Options::new().idle_timeout(None).ping(None),
    };
    type Data = ();
    type Parameters = ();

    fn parameters(_: &PathValues) -> Result<(), Rejection> {
        Ok(())
    }

    async fn connect(&self, _: &Handshake, (): &()) -> Result<(), BoxError> {
        Ok(())
    }
}

#[tokio::test]
async fn the_options_of_a_hand_written_route_are_validated() {
    for (app, option) in [
        (App::new().ws(ByHand::<0>), "`origins`"),
        (App::new().ws(ByHand::<1>), "`protocols`"),
        (App::new().ws(ByHand::<2>), "`idle_timeout`"),
        (
            App::new().nest("/api", Router::new().ws(ByHand::<3>)),
            "`ping`",
        ),
    ] {
        let message = config_error(app).await;
        assert!(
            message.contains(option) && message.contains("/by-hand`"),
            "{message}"
        );
    }
    let valid = App::new().ws(ByHand::<4>).bind("127.0.0.1:0").await;
    assert!(valid.is_ok());
}

#[tokio::test]
async fn the_apps_max_message_applies_unless_the_route_sets_its_own() {
    struct Own;
    #[ws_route("/own", max_message = 100, broadcast = off)]
    impl Own {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(message);
        }
    }
    let server = TestServer::start(App::new().max_message(1000).ws(Bare).ws(Own)).await;
    for (path, limit) in [("/bare", 1000), ("/own", 100)] {
        let mut client = server.connect(path).await;
        assert_eq!(client.text().await, "in");
        client.send(&"x".repeat(limit)).await;
        assert_eq!(client.text().await.len(), limit);
        client.send(&"x".repeat(limit + 1)).await;
        assert_eq!(client.closed().await.0, 1009, "{path}");
    }
}

#[tokio::test]
async fn the_apps_idle_timeout_applies_unless_the_route_sets_its_own() {
    struct Patient;
    #[ws_route("/patient", idle_timeout = off, broadcast = off)]
    impl Patient {
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(message);
        }
    }
    let app = App::new()
        .idle_timeout(Duration::from_secs(1))
        .ping(None)
        .ws(Bare)
        .ws(Patient);
    let server = TestServer::start(app).await;
    let mut patient = server.connect("/patient").await;
    // Two other clients time out one after the other, which takes longer than one idle timeout.
    for _ in 0..2 {
        let mut bare = server.connect("/bare").await;
        assert_eq!(bare.text().await, "in");
        assert_eq!(bare.closed().await, (1001, "Idle Timeout".into()));
    }
    patient.send("still here").await;
    assert_eq!(patient.text().await, "still here");
}

#[tokio::test]
async fn the_apps_ping_applies_unless_the_route_sets_its_own() {
    struct Quiet;
    #[ws_route("/quiet", ping = off)]
    impl Quiet {
        fn message(&self) {}
    }
    let app = App::new()
        .ping(Duration::from_millis(500))
        .ws(Bare)
        .ws(Quiet);
    let server = TestServer::start(app).await;
    let quiet = server.connect_raw("/quiet").await;
    let mut bare = server.connect_raw("/bare").await;
    assert_eq!(bare.read_frame().await.unwrap().text(), "in");
    for _ in 0..2 {
        assert_eq!(bare.read_frame().await.unwrap().head, 0x89);
    }
    // The first frame that this client has received is the pong, not a ping.
    quiet.active().await;
}

/// Sends until a message is neither sent nor queued; notes that status and the most bytes queued.
fn flood(ws: &Socket, events: &Events) {
    let mut most = 0;
    let end = loop {
        match ws.send("x".repeat(16 * 1024)) {
            SendStatus::Sent => {}
            SendStatus::Queued(bytes) => most = bytes,
            end => break end,
        }
    };
    events.note(format_args!("{end:?}"));
    events.note(most);
}

#[tokio::test]
async fn the_apps_backlog_and_slow_apply_unless_the_route_sets_its_own() {
    struct Default(Events);
    #[ws_route("/default", broadcast = off)]
    impl Default {
        fn message(&self, ws: &mut Socket) {
            flood(ws, &self.0);
        }
    }
    struct Own(Events);
    #[ws_route("/own", broadcast = off, backlog = "1MiB", slow = close)]
    impl Own {
        fn message(&self, ws: &mut Socket) {
            flood(ws, &self.0);
        }
    }
    let events = Events::new();
    let app = App::new()
        .backlog(64 * 1024)
        .slow(Slow::Skip)
        .ws(Default(events.clone()))
        .ws(Own(events.clone()));
    let server = TestServer::start(app).await;
    for (path, end, backlog) in [("/default", "Dropped", 64), ("/own", "Closed", 1024)] {
        let mut client = RawClient::connect_narrow(server.address(), path).await;
        client.texts(&["go"]).await;
        assert_eq!(events.next().await, end, "{path}");
        let most: usize = events.next().await.parse().unwrap();
        let expected = backlog * 1024..(backlog + 2 * 17) * 1024;
        assert!(expected.contains(&most), "{path}: {most}");
        client.reset();
    }
}

#[tokio::test]
async fn the_apps_rate_applies_unless_the_route_sets_its_own() {
    struct Own;
    #[ws_route("/own", rate = "4/1h", broadcast = off)]
    impl Own {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(message);
        }
    }
    let app = App::new()
        .rate(Rate::new(2, Duration::from_secs(3600)))
        .ws(Bare)
        .ws(Own);
    let server = TestServer::start(app).await;
    for (path, allowed) in [("/bare", 2), ("/own", 4)] {
        let mut client = server.connect(path).await;
        assert_eq!(client.text().await, "in");
        for _ in 0..allowed {
            client.send("x").await;
            assert_eq!(client.text().await, "x");
        }
        client.send("one too many").await;
        assert_eq!(client.closed().await.0, 1008, "{path}");
    }
}

#[tokio::test]
async fn the_apps_subprotocols_apply_unless_the_route_sets_its_own() {
    struct Own;
    #[ws_route("/own", protocols = ["own.v1"])]
    impl Own {
        fn open(&self, ws: &mut Socket) {
            ws.send(ws.protocol().unwrap_or("none"));
        }
    }
    let app = App::new().protocols(["app.v2", "app.v1"]).ws(Bare).ws(Own);
    let server = TestServer::start(app).await;
    let all = [("sec-websocket-protocol", "app.v1, app.v2, own.v1")];
    for (path, selected) in [("/bare", "app.v2"), ("/own", "own.v1")] {
        let mut client = server.connect_with(path, &all).await;
        assert_eq!(client.header("sec-websocket-protocol"), Some(selected));
        assert_eq!(client.text().await, selected);
    }
    let of_app = [("sec-websocket-protocol", "app.v1")];
    assert_eq!(server.refused("/own", &of_app).await.0, 400);
}

#[tokio::test]
async fn the_apps_origins_apply_unless_the_route_sets_its_own() {
    struct Own;
    #[ws_route("/own", origins = ["https://own.test"])]
    impl Own {
        fn message(&self) {}
    }
    let app = App::new().origins(["https://app.test"]).ws(Bare).ws(Own);
    let server = TestServer::start(app).await;
    let (of_app, of_route) = (
        [("origin", "https://app.test")],
        [("origin", "https://own.test")],
    );
    server.connect_with("/bare", &of_app).await;
    server.connect_with("/own", &of_route).await;
    assert_eq!(server.refused("/bare", &of_route).await.0, 403);
    assert_eq!(server.refused("/own", &of_app).await.0, 403);
}
