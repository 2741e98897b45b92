//! Startup: what a server logs, and the error if it cannot listen.

use std::error::Error as _;
use std::io::ErrorKind;
use std::net::SocketAddr;

use harpia::prelude::*;
use harpia::{Error, Server};
use harpia_tests::{Client, Log, TestServer, within};

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

fn error_of(bound: harpia::Result<Server>) -> Error {
    match bound {
        Err(error) => error,
        Ok(server) => panic!("the server listens on {}", server.local_addr()),
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_in_the_error() {
    let app = || App::new().ws(Chat);
    let first = app().bind("127.0.0.1:0").await.unwrap();
    let address = first.local_addr().tcp().expect("a TCP address");
    for error in [
        error_of(app().bind(address).await),
        error_of(app().bind(address.to_string()).await),
        app().listen(&*address.to_string()).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), format!("could not listen on {address}"));
        let printed = format!("{error:?}");
        let expected = format!("could not listen on {address}: Address already in use");
        assert!(printed.starts_with(&expected), "{printed}");
        let source = error.source().and_then(|source| source.downcast_ref());
        let kind = source.map(std::io::Error::kind);
        assert_eq!(kind, Some(ErrorKind::AddrInUse));
    }
}

#[tokio::test]
async fn an_invalid_address_is_named_in_the_error() {
    let error = error_of(App::new().ws(Chat).bind("127.0.0.1").await);
    let printed = format!("{error:?}");
    assert!(
        printed.starts_with("could not listen on 127.0.0.1: "),
        "{printed}"
    );
    let none: &[SocketAddr] = &[];
    let error = error_of(App::new().ws(Chat).bind(none).await);
    assert!(matches!(error, Error::Listen { .. }), "{error}");
}

struct Rooms;

#[ws_route("/rooms/{room}")]
impl Rooms {
    fn message(&self) {}
}

/// Waits for the log line with the server's address.
async fn listening_line(log: &Log) -> String {
    let logged = async {
        loop {
            let text = log.text();
            if let Some(line) = text.lines().find(|line| line.contains("listening on")) {
                return line.to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    within(logged).await
}

#[tokio::test]
async fn listen_logs_its_address_and_its_routes() {
    let log = Log::begin();
    let app = App::new().ws(Chat).nest("/api", Router::new().ws(Rooms));
    let hub = app.handle();
    let serving = tokio::spawn(app.listen("127.0.0.1:0"));
    let line = listening_line(&log).await;
    assert!(line.contains(" INFO "), "{line}");
    let (_, rest) = line.split_once("listening on http://").unwrap();
    let (address, routes) = rest.split_once(", routes: ").unwrap();
    assert_eq!(routes, "/chat, /api/rooms/{room}");
    // The address has the port that the system chose.
    Client::connect(address.parse().unwrap(), "/chat", &[]).await;
    hub.shutdown();
    within(serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn listen_logs_none_if_there_are_no_routes() {
    let log = Log::begin();
    let app = App::new();
    let hub = app.handle();
    let serving = tokio::spawn(app.listen("127.0.0.1:0"));
    let line = listening_line(&log).await;
    assert!(line.ends_with(", routes: none"), "{line}");
    hub.shutdown();
    within(serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn bind_and_serve_do_not_log_the_address() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Chat)).await;
    server.join("/chat").await;
    server.shut_down().await;
    let text = log.text();
    assert!(!text.contains("listening on"), "{text}");
}
