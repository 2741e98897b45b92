//! Routes whose `connect` makes their data, in every form that a handler can have.

use std::sync::Arc;

use harpia::extract::Rejection;
use harpia::prelude::*;

/// Data that is not `FromHandshake`, `Clone` or `Sync`.
struct User {
    name: String,
    visits: std::cell::Cell<u32>,
}

struct Database;

impl Database {
    async fn user(&self, id: &str) -> Result<Option<User>, std::io::Error> {
        let user = |name: &str| User { name: name.to_owned(), visits: 0.into() };
        Ok((id == "7").then(|| user("Ada")))
    }
}

struct Chat {
    db: Database,
}

#[ws_route("/chat/{room}", data = User)]
impl Chat {
    async fn connect(&self, room: u32, request: &Handshake) -> HandlerResult<User> {
        let id = request.cookies().get("session_id").or_reject(401, "log in first")?;
        println!("{id} wants to enter {room}");
        Ok(self.db.user(id).await?.or_reject(403, "no such user")?)
    }

    fn open(&self, ws: &mut Socket<User>, room: u32) {
        ws.data.visits.set(room);
        ws.send(format!("welcome, {}", ws.data.name));
    }
}

/// The data is inferred from the result, and `request` is only reserved for `connect`.
struct Inferred;

#[ws_route("/inferred")]
impl Inferred {
    fn connect(&self) -> Result<User, Rejection> {
        Err(Rejection::new(503, "not yet").with_header("retry-after", "30"))
    }
}

struct Request;

#[ws_route("/requests/{request}")]
impl Request {
    fn open(&self, ws: &mut Socket, request: u32) {
        ws.send(format!("{request}"));
    }
}

/// `connect` without data only decides who gets in. It may be called through a generic route.
struct Generic<T>(T);

#[ws_route("/generic")]
impl<T: AsRef<str> + Send + Sync + 'static> Generic<T> {
    fn connect(&self, handshake: &Handshake) -> HandlerResult {
        let word = handshake.query("word").or_reject(400, "no word")?;
        (word == self.0.as_ref()).then_some(()).or_reject(403, "wrong word")?;
        Ok(())
    }

    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

/// An ordinary method with a near name is not a handler while something calls it.
struct Careful;

#[ws_route("/careful")]
impl Careful {
    fn connect(&self, request: &Handshake) -> HandlerResult {
        self.on_upgrade(request)
    }

    fn on_upgrade(&self, request: &Handshake) -> HandlerResult {
        println!("{}", request.uri().path());
        Ok(())
    }
}

fn main() {
    let chat = Arc::new(Chat { db: Database });
    let app = App::new().ws(chat).ws(Inferred).ws(Request).ws(Careful);
    let _ = app.ws(Generic("open sesame"));
}
