//! Sessions: routes read the session of a client's cookie. Without a valid session they close with
//! 1008, and if the store is unavailable with 1013.

use std::cell::Cell;
use std::time::Duration;

use harpia::prelude::*;
use harpia::session::{MemoryStore, SessionError, SessionId, Store};
use harpia_tests::{Events, RawClient, TestServer};
use http::HeaderValue;

struct Updates<S: Store> {
    sessions: Session<String, S>,
    events: Events,
}

#[ws_route("/updates", broadcast = off)]
impl<S: Store> Updates<S> {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        let name = self.sessions.from_ws(ws).await?;
        ws.send(format!("Welcome back, {name}!"));
        Ok(())
    }

    async fn message(&self, ws: &mut Socket) -> HandlerResult {
        let late = self.sessions.from_ws(ws).await;
        ws.send(matches!(late, Err(SessionError::AfterOpen)).to_string());
        Ok(())
    }

    fn error(&self, error: &harpia::Error) {
        self.events.note(format_args!("{error:#}"));
    }
}

struct Guarded<S: Store>(Session<String, S>);

/// Data that is `Send` but not `Sync`.
#[derive(FromHandshake)]
struct Unshared {
    #[from(default)]
    seen: Cell<u32>,
}

#[ws_route("/guarded", data = Unshared, broadcast = off)]
impl<S: Store> Guarded<S> {
    async fn auth(&self, ws: &mut Socket<Unshared>, first: String) -> HandlerResult {
        let name = self.0.from_ws(ws).await?;
        ws.data.seen.set(1);
        ws.send(format!("{name} says {first}"));
        Ok(())
    }

    async fn open(&self, ws: &mut Socket<Unshared>) -> HandlerResult {
        let name = self.0.from_ws(ws).await?;
        ws.send(format!("{name}, {}", ws.data.seen.get()));
        Ok(())
    }
}

async fn serve<S: Store>(sessions: &Session<String, S>) -> (TestServer, Events) {
    let events = Events::new();
    let updates = Updates {
        sessions: sessions.clone(),
        events: events.clone(),
    };
    let app = App::new().ws(updates).ws(Guarded(sessions.clone()));
    (TestServer::start(app).await, events)
}

/// Returns the part of a `Set-Cookie` header that a browser sends back.
fn sent(set_cookie: &HeaderValue) -> String {
    let text = set_cookie.to_str().expect("text");
    text.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn auth_and_open_read_the_session_and_later_handlers_get_an_error() {
    let sessions = Session::<String>::memory();
    let (server, _events) = serve(&sessions).await;
    let id = sessions.create("Ada".to_owned()).await.unwrap();
    let cookie = sent(&sessions.cookie(&id));
    let headers = [("cookie", &*format!("theme=dark; {cookie}"))];
    let mut client = server.connect_with("/updates", &headers).await;
    assert_eq!(client.text().await, "Welcome back, Ada!");
    // After `open` the cookie is forgotten, and the error is `AfterOpen`.
    client.send("again").await;
    assert_eq!(client.text().await, "true");
    let mut client = server.connect_with("/guarded", &headers).await;
    client.send("hello").await;
    assert_eq!(client.text().await, "Ada says hello");
    assert_eq!(client.text().await, "Ada, 1");
}

#[tokio::test]
async fn a_missing_or_invalid_session_closes_with_1008_and_its_id_is_in_no_error() {
    let sessions = Session::<String>::memory();
    let (server, events) = serve(&sessions).await;
    let ended = sessions.create("Ada".to_owned()).await.unwrap();
    sessions.delete(&ended).await.unwrap();
    let old = sessions.create("Bob".to_owned()).await.unwrap();
    sessions.rotate(&old).await.unwrap();
    let cookies = [
        "theme=dark".to_owned(),
        "session_id=".to_owned(),
        "session_id=harpia:session:x".to_owned(),
        "session_id=0123456789abcdef0123456789abcdef".to_owned(),
        sent(&sessions.cookie(&ended)),
        sent(&sessions.cookie(&old)),
    ];
    for cookie in &cookies {
        let mut client = server.connect_with("/updates", &[("cookie", cookie)]).await;
        let closed = client.closed().await;
        assert_eq!(closed, (1008, "Unauthorized".into()), "{cookie}");
        assert_eq!(
            events.next().await,
            "handler `open` failed: no such session: closed by the handler: 1008 Unauthorized"
        );
    }
    let mut client = server.connect("/updates").await;
    assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
    let mut client = server.connect("/guarded").await;
    client.send("hello").await;
    assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
}

/// A store whose server is down.
struct Down;

impl Down {
    fn refused<T>() -> Result<T, SessionError> {
        Err(SessionError::unavailable("connection refused"))
    }
}

impl Store for Down {
    async fn insert(&self, _: &str, _: Bytes, _: Duration) -> Result<bool, SessionError> {
        Self::refused()
    }

    async fn load(&self, _: &str, _: Duration) -> Result<Option<Bytes>, SessionError> {
        Self::refused()
    }

    async fn replace(
        &self,
        _: &str,
        _: &[u8],
        _: Bytes,
        _: Duration,
    ) -> Result<bool, SessionError> {
        Self::refused()
    }

    async fn rename(&self, _: &str, _: &str, _: Duration) -> Result<bool, SessionError> {
        Self::refused()
    }

    async fn remove(&self, _: &str) -> Result<(), SessionError> {
        Self::refused()
    }
}

#[tokio::test]
async fn an_unavailable_store_closes_with_1013_try_again_later() {
    let sessions = Session::<String, _>::new(Down);
    let (server, events) = serve(&sessions).await;
    let id = SessionId::parse("0123456789abcdef0123456789abcdef").unwrap();
    let cookie = sent(&sessions.cookie(&id));
    let headers = [("cookie", &*cookie)];
    let mut client = server.connect_with("/updates", &headers).await;
    assert_eq!(client.closed().await, (1013, "Try Again Later".into()));
    let error = events.next().await;
    let unavailable = "the session store is unavailable";
    assert!(error.contains(unavailable), "{error}");
    assert!(error.ends_with("connection refused"), "{error}");
    assert!(!error.contains(id.as_str()), "{error}");
    let mut client = server.connect_with("/guarded", &headers).await;
    client.send("hello").await;
    assert_eq!(client.closed().await, (1013, "Try Again Later".into()));
    // A client without a cookie is rejected without asking the store.
    let mut client = server.connect("/updates").await;
    assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
}

#[tokio::test]
async fn a_full_store_rejects_new_sessions_and_keeps_existing_ones() {
    let sessions = Session::<String>::new(MemoryStore::new().max_sessions(1));
    let (server, _events) = serve(&sessions).await;
    let id = sessions.create("Ada".to_owned()).await.unwrap();
    assert!(sessions.create("Bob".to_owned()).await.is_err());
    let cookie = sent(&sessions.cookie(&id));
    let mut client = server
        .connect_with("/updates", &[("cookie", &cookie)])
        .await;
    assert_eq!(client.text().await, "Welcome back, Ada!");
}

#[tokio::test]
async fn a_cookie_whose_name_only_resembles_the_session_cookie_is_ignored() {
    let sessions = Session::<String>::memory().cookie_name("__Host-session_id");
    let (server, _events) = serve(&sessions).await;
    let own = sessions.create("Ada".to_owned()).await.unwrap();
    let planted = sessions.create("Mallory".to_owned()).await.unwrap();
    let (own, planted) = (own.as_str(), planted.as_str());
    // A page on another host of the domain can set cookies with these names for the whole domain.
    for name in ["\u{2000}__Host-session_id", "%5F_Host-session_id"] {
        let request = format!(
            "GET /updates HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Cookie: {name}={planted}; __Host-session_id={own}\r\n\r\n"
        );
        let mut client = RawClient::upgrade(server.address(), request.as_bytes()).await;
        let frame = client.read_frame().await.unwrap();
        assert_eq!(frame.text(), "Welcome back, Ada!", "{name:?}");
    }
}
