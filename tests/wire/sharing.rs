//! Routes in an `Arc`: the program shares the state of the handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use harpia::extract::{Handshake, PathValues, Rejection};
use harpia::prelude::*;
use harpia::route::Inline;
use harpia::{BoxError, Error, Options, Route, Scope};
use harpia_tests::{Events, TestServer};

#[derive(Default)]
struct Counter {
    count: AtomicU32,
}

#[ws_route("/counter", broadcast = off)]
impl Counter {
    fn open(&self, ws: &mut Socket) {
        ws.send(self.count.load(Ordering::Relaxed).to_string());
    }

    async fn message(&self, ws: &mut Socket, number: String) -> HandlerResult {
        self.count.store(number.parse()?, Ordering::Relaxed);
        ws.send("stored");
        Ok(())
    }
}

#[tokio::test]
async fn a_route_in_an_arc_shares_its_state_with_the_program() {
    let counter = Arc::new(Counter::default());
    let server = TestServer::start(App::new().ws(Arc::clone(&counter))).await;
    counter.count.store(7, Ordering::Relaxed);
    let mut client = server.connect("/counter").await;
    assert_eq!(client.text().await, "7");
    client.send("8").await;
    assert_eq!(client.text().await, "stored");
    assert_eq!(counter.count.load(Ordering::Relaxed), 8);
}

#[tokio::test]
async fn one_arc_can_serve_several_paths() {
    let counter = Arc::new(Counter::default());
    let one = Router::new().ws(Arc::clone(&counter));
    let other = Router::new().ws(counter);
    let server = TestServer::start(App::new().nest("/one", one).nest("/other", other)).await;
    let mut client = server.connect("/one/counter").await;
    assert_eq!(client.text().await, "0");
    client.send("9").await;
    assert_eq!(client.text().await, "stored");
    assert_eq!(server.connect("/other/counter").await.text().await, "9");
}

struct Feed<S> {
    source: S,
}

#[ws_route("/feed", broadcast = off)]
impl<S: AsRef<str> + Send + Sync + 'static> Feed<S> {
    fn open(&self, ws: &mut Socket) {
        ws.send(self.source.as_ref());
    }
}

routes![Arc<Counter>, Arc<Feed<String>>];

#[tokio::test]
async fn the_routes_macro_accepts_arcs() {
    let counter = Arc::new(Counter::default());
    let feed = Arc::new(Feed {
        source: "news".to_owned(),
    });
    let app = App::new().merge(routes(Arc::clone(&counter), feed));
    let server = TestServer::start(app).await;
    counter.count.store(3, Ordering::Relaxed);
    assert_eq!(server.connect("/counter").await.text().await, "3");
    assert_eq!(server.connect("/feed").await.text().await, "news");
}

/// A hand-written route that overrides every default of `Route`.
struct ByHand(Events);

impl ByHand {
    async fn note(&self, event: String) {
        self.0.note(event);
        tokio::task::yield_now().await;
    }
}

impl Route for ByHand {
    const PATH: &'static str = "/by-hand/{number}";
    const OPTIONS: Options = Options::new().broadcast(Scope::Off).max_message(100);
    const AUTHENTICATES: bool = true;
    const INLINE: Inline = Inline::NONE;
    type Data = Cookies;
    type Parameters = u32;

    fn parameters(path: &PathValues) -> Result<u32, Rejection> {
        path.parse("number")
    }

    async fn connect(&self, handshake: &Handshake, _: &u32) -> Result<Cookies, BoxError> {
        Ok(handshake.cookies().clone())
    }

    async fn auth(
        &self,
        _: &mut Socket<Cookies>,
        number: &u32,
        first: Message,
    ) -> Result<(), BoxError> {
        self.note(format!("auth {number} {:?}", first.as_str()))
            .await;
        Ok(())
    }

    async fn open(&self, ws: &mut Socket<Cookies>, number: &u32) -> Result<(), BoxError> {
        self.note(format!("open {number}")).await;
        ws.send(ws.data.get("user").unwrap_or_default());
        Ok(())
    }

    async fn message(
        &self,
        _: &mut Socket<Cookies>,
        number: &u32,
        message: Message,
    ) -> Result<Broadcast, BoxError> {
        self.note(format!("message {number}")).await;
        match message.as_str() {
            Some("fail") => Err("failed".into()),
            _ => Ok(Broadcast::Pass),
        }
    }

    async fn close(
        &self,
        _: &mut Socket<Cookies>,
        number: &u32,
        code: CloseCode,
        _: &str,
    ) -> Result<(), BoxError> {
        self.note(format!("close {number} {code}")).await;
        Ok(())
    }

    async fn error(
        &self,
        _: &mut Socket<Cookies>,
        number: &u32,
        error: &Error,
    ) -> Result<(), BoxError> {
        self.note(format!("error {number} {error}")).await;
        Ok(())
    }
}

#[tokio::test]
async fn a_hand_written_route_in_an_arc_keeps_its_options_and_handlers() {
    let events = Events::new();
    let route = Arc::new(ByHand(events.clone()));
    let server = TestServer::start(App::new().ws(route)).await;
    assert_eq!(server.refused("/by-hand/x", &[]).await.0, 404);
    let cookie = [("cookie", "user=ada")];
    let mut client = server.connect_with("/by-hand/7", &cookie).await;
    client.send("token").await;
    assert_eq!(client.text().await, "ada");
    client.send("fail").await;
    assert_eq!(client.closed().await.0, 1011);
    for event in [
        "auth 7 Some(\"token\")",
        "open 7",
        "message 7",
        "error 7 handler `message` failed",
        "close 7 1011",
    ] {
        assert_eq!(events.next().await, event);
    }
    let mut client = server.connect_with("/by-hand/7", &cookie).await;
    client.send(&"x".repeat(101)).await;
    assert_eq!(client.closed().await.0, 1009, "the route's `max_message`");
}
