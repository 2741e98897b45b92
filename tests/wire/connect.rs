//! The `connect` handler: it makes the connection's data before the upgrade, or refuses it.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use harpia::auth::Jwt;
use harpia::extract::{PathValues, Rejection};
use harpia::prelude::*;
use harpia::{BoxError, HttpRequest, Route};
use harpia_tests::{Events, Log, RawClient, TestServer, handshake, status};
use http::Response;
use http_body_util::Full;
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use tower::service_fn;

const SECRET: [u8; 32] = [7; 32];

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

fn token(seconds: i64) -> String {
    let exp = get_current_timestamp().saturating_add_signed(seconds);
    let claims = serde_json::json!({ "sub": "ada", "exp": exp });
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(&SECRET),
    )
    .expect("a token")
}

fn jwt() -> Jwt<Claims> {
    Jwt::hs256(SECRET).expect("a key")
}

/// Data that is made by `connect` alone.
struct User {
    name: String,
    room: u32,
}

struct Rooms {
    users: Vec<(&'static str, &'static str)>,
}

#[ws_route("/rooms/{room}", data = User, broadcast = off)]
impl Rooms {
    async fn connect(&self, request: &Handshake, room: u32) -> HandlerResult<User> {
        let id = request.cookies().get("id").or_reject(401, "log in first")?;
        tokio::task::yield_now().await;
        let mut users = self.users.iter();
        let user = users.find(|(known, _)| *known == id);
        let (_, name) = user.or_reject(403, "no such user")?;
        Ok(User {
            name: (*name).to_owned(),
            room,
        })
    }

    fn open(&self, ws: &mut Socket<User>, room: u32) {
        assert_eq!(ws.data.room, room);
        ws.send(format!("{} in {room}", ws.data.name));
    }
}

fn rooms() -> App {
    let users = vec![("7", "ada"), ("8", "bob")];
    App::new().ws(Rooms { users })
}

/// A route whose `connect` returns one kind of error.
struct Failing<F>(F);

#[ws_route("/failing", broadcast = off)]
impl<F: Fn() -> BoxError + Send + Sync + 'static> Failing<F> {
    fn connect(&self) -> HandlerResult {
        Err((self.0)())
    }

    fn open(&self, ws: &mut Socket) {
        ws.send("never");
    }

    fn error(&self) {
        panic!("the handshake has no `error`");
    }
}

/// Returns the response to a client whose `connect` fails, and what the server logs.
async fn failure(error: impl Fn() -> BoxError + Send + Sync + 'static) -> (String, String) {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Failing(error))).await;
    let request = handshake("/failing", "");
    let answer = RawClient::last_request(server.address(), &request).await;
    (answer, log.text())
}

#[tokio::test]
async fn connect_makes_the_data_from_the_request_the_path_and_the_route() {
    let server = TestServer::start(rooms()).await;
    for (id, welcome) in [("id=7", "ada in 5"), ("id=8", "bob in 5")] {
        let mut client = server.connect_with("/rooms/5", &[("cookie", id)]).await;
        assert_eq!(client.text().await, welcome);
    }
}

#[tokio::test]
async fn a_rejection_of_connect_is_the_response() {
    let server = TestServer::start(rooms()).await;
    let refused = server.refused("/rooms/5", &[]).await;
    assert_eq!(refused, (401, "log in first".into()));
    let refused = server.refused("/rooms/5", &[("cookie", "id=9")]).await;
    assert_eq!(refused, (403, "no such user".into()));
    // The path is parsed first, so a wrong one never reaches `connect`.
    assert_eq!(server.refused("/rooms/x", &[]).await.0, 404);
}

#[tokio::test]
async fn a_rejection_sends_its_headers_spelled_as_in_their_rfcs() {
    let (answer, _) = failure(|| {
        let rejection = Rejection::new(401, "log in")
            .with_header("www-authenticate", "Basic realm=\"chat\"")
            .with_header("retry-after", "30")
            .with_header("set-cookie", "a=1")
            .with_header("set-cookie", "b=2");
        rejection.into()
    })
    .await;
    for line in [
        "HTTP/1.1 401 Unauthorized",
        "WWW-Authenticate: Basic realm=\"chat\"",
        "Retry-After: 30",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2",
        "Connection: close",
    ] {
        assert!(answer.contains(&format!("{line}\r\n")), "{line}: {answer}");
    }
}

#[tokio::test]
async fn a_rejection_can_replace_the_content_type() {
    let (answer, _) = failure(|| {
        let json = Rejection::new(422, r#"{"error":"name"}"#);
        json.with_header("content-type", "application/json").into()
    })
    .await;
    assert!(
        answer.contains("Content-Type: application/json\r\n"),
        "{answer}"
    );
    assert_eq!(answer.matches("ontent-").count(), 2, "{answer}");
}

#[tokio::test]
async fn a_rejection_below_other_errors_decides() {
    #[derive(Debug, thiserror::Error)]
    #[error("loading the user")]
    struct Context(#[source] Rejection);
    let (answer, log) = failure(|| Context(Rejection::new(403, "banned")).into()).await;
    assert_eq!(status(&answer), 403, "{answer}");
    assert!(
        log.contains("loading the user: 403 Forbidden: banned"),
        "{log}"
    );
}

#[tokio::test]
async fn any_other_error_is_a_500_that_tells_the_client_nothing() {
    let (answer, log) = failure(|| "the password of the database is wrong".into()).await;
    assert_eq!(status(&answer), 500, "{answer}");
    assert!(!answer.contains("database"), "{answer}");
    let line = log.lines().find(|line| line.contains("the password"));
    let line = line.expect("a line with the error");
    assert!(
        line.contains("ERROR") && line.contains("`connect` failed"),
        "{line}"
    );
}

#[tokio::test]
async fn the_error_that_or_reject_replaces_is_logged_and_not_sent() {
    let (answer, log) = failure(|| {
        let number = "x".parse::<u32>().or_reject(400, "no number");
        number.map(|_| ()).unwrap_err().into()
    })
    .await;
    assert!(answer.ends_with("no number\n"), "{answer}");
    assert!(log.contains("no number: invalid digit"), "{log}");
}

#[tokio::test]
async fn a_panic_in_connect_is_a_500() {
    let (answer, log) = failure(|| panic!("no such index")).await;
    assert_eq!(status(&answer), 500, "{answer}");
    assert!(!answer.contains("index"), "{answer}");
    assert!(log.contains("no such index"), "{log}");
}

/// A route that reads a token from the query in `connect`.
struct Tokens(Jwt<Claims>, Events);

#[ws_route("/tokens", broadcast = off)]
impl Tokens {
    fn connect(&self, request: &Handshake) -> HandlerResult<String> {
        Ok(self.0.from_query(request, "token")?.sub)
    }

    fn open(&self, ws: &mut Socket<String>) {
        ws.send(format!("welcome, {}", ws.data));
    }

    fn close(&self, code: CloseCode) {
        self.1.note(code);
    }
}

#[tokio::test]
async fn a_token_that_is_missing_or_invalid_in_connect_is_401() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Tokens(jwt(), Events::new()))).await;
    for query in ["", "?token=x", &format!("?token={}", token(-60))] {
        let request = handshake(&format!("/tokens{query}"), "");
        let answer = RawClient::last_request(server.address(), &request).await;
        assert_eq!(status(&answer), 401, "{answer}");
        assert!(answer.contains("WWW-Authenticate: Bearer\r\n"), "{answer}");
        assert!(answer.ends_with("\r\ninvalid token\n"), "{answer}");
    }
    let log = log.text();
    assert!(log.contains("no token in the query"), "{log}");
}

#[tokio::test]
async fn a_connection_closes_when_a_token_that_connect_read_expires() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Tokens(jwt(), events.clone()))).await;
    let path = format!("/tokens?token={}", token(2));
    let mut client = server.connect(&path).await;
    assert_eq!(client.text().await, "welcome, ada");
    assert_eq!(client.closed().await, (4401, "Token Expired".into()));
    assert_eq!(events.next().await, "4401");
}

#[tokio::test]
async fn a_client_without_a_session_is_refused_with_401_in_connect() {
    struct Account(Session<String>);
    #[ws_route("/account", data = String)]
    impl Account {
        async fn connect(&self, request: &Handshake) -> HandlerResult<String> {
            Ok(self.0.from_ws(request).await?)
        }

        fn open(&self, ws: &mut Socket<String>) {
            ws.send(format!("welcome, {}", ws.data));
        }
    }
    let sessions = Session::memory();
    let id = sessions.create("ada".to_owned()).await.expect("a session");
    let cookie = format!("session_id={}", id.as_str());
    let server = TestServer::start(App::new().ws(Account(sessions))).await;
    assert_eq!(server.refused("/account", &[]).await.0, 401);
    let mut client = server
        .connect_with("/account", &[("cookie", &cookie)])
        .await;
    assert_eq!(client.text().await, "welcome, ada");
}

#[tokio::test]
async fn a_session_that_connect_has_read_can_be_read_again_in_open() {
    struct Account(Session<String>);
    #[ws_route("/account")]
    impl Account {
        async fn connect(&self, request: &Handshake) -> HandlerResult {
            self.0.from_ws(request).await?;
            Ok(())
        }

        async fn open(&self, ws: &mut Socket) -> HandlerResult {
            ws.send(self.0.from_ws(ws).await?);
            Ok(())
        }
    }
    let sessions = Session::memory();
    let id = sessions.create("ada".to_owned()).await.expect("a session");
    let cookie = format!("session_id={}", id.as_str());
    let server = TestServer::start(App::new().ws(Account(sessions))).await;
    let mut client = server
        .connect_with("/account", &[("cookie", &cookie)])
        .await;
    assert_eq!(client.text().await, "ada");
}

#[tokio::test]
async fn connect_runs_before_auth_and_auth_gets_its_data() {
    struct Both(Events);
    #[ws_route("/both")]
    impl Both {
        fn connect(&self) -> HandlerResult<String> {
            self.0.note("connect");
            Ok("data".to_owned())
        }

        fn auth(&self, ws: &mut Socket<String>, first: String) -> HandlerResult {
            self.0.note(format_args!("auth {} {first}", ws.data));
            Ok(())
        }

        fn open(&self, ws: &mut Socket<String>) {
            ws.send("welcome");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Both(events.clone()))).await;
    let mut client = server.connect("/both").await;
    client.send("hello").await;
    assert_eq!(client.text().await, "welcome");
    assert_eq!(events.next().await, "connect");
    assert_eq!(events.next().await, "auth data hello");
}

#[tokio::test]
async fn connect_never_sees_cookies_or_basic_credentials_on_a_route_for_any_page() {
    struct Open;
    #[ws_route("/open", origins = any, broadcast = off)]
    impl Open {
        fn connect(&self, request: &Handshake) -> HandlerResult<String> {
            let cookie = request.cookies().get("id").map(str::to_owned);
            let header = request.header("authorization");
            Ok(format!("{cookie:?} {header:?}"))
        }

        fn open(&self, ws: &mut Socket<String>) {
            ws.send(ws.data.clone());
        }
    }
    let server = TestServer::start(App::new().ws(Open)).await;
    let headers = [
        ("origin", "https://evil.example"),
        ("cookie", "id=7"),
        ("authorization", "Basic YTpi"),
    ];
    let mut client = server.connect_with("/open", &headers).await;
    assert_eq!(client.text().await, "None None");
}

#[tokio::test]
async fn connect_runs_after_all_checks_of_the_handshake() {
    struct Counted(Events);
    #[ws_route("/counted")]
    impl Counted {
        fn connect(&self) -> HandlerResult {
            self.0.note("connect");
            Ok(())
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Counted(events.clone()))).await;
    let evil = [("origin", "https://evil.example")];
    assert_eq!(server.refused("/counted", &evil).await.0, 403);
    let version = handshake("/counted", "Sec-WebSocket-Version: 8\r\n");
    let answer = RawClient::last_request(server.address(), &version).await;
    assert_eq!(status(&answer), 426, "{answer}");
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn connect_that_never_returns_is_503_and_its_place_is_free_when_the_client_leaves() {
    struct Stuck(Events);
    struct Dropped(Events);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    #[ws_route("/stuck/{limit}")]
    impl Stuck {
        async fn connect(&self) -> HandlerResult {
            self.0.note("begun");
            let _dropped = Dropped(self.0.clone());
            pending().await
        }
    }
    let events = Events::new();
    let app = || App::new().ws(Stuck(events.clone())).max_connections(1);
    let short = app().handshake_timeout(Duration::from_millis(50));
    let server = TestServer::start(short).await;
    assert_eq!(server.refused("/stuck/1", &[]).await.0, 503);
    assert_eq!(events.rest().await, ["begun", "dropped"]);

    let server = TestServer::start(app().ws(Failing(|| "no".into()))).await;
    let bytes = format!("{}x", handshake("/stuck/2", ""));
    let client = RawClient::open(server.address(), bytes.as_bytes()).await;
    assert_eq!(events.next().await, "begun");
    drop(client);
    assert_eq!(events.next().await, "dropped");
    assert_eq!(server.refused("/failing", &[]).await.0, 500);
}

#[tokio::test]
async fn connect_also_serves_an_upgrade_that_is_a_later_request_of_its_client() {
    let pages = service_fn(|_: HttpRequest| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("page"))))
    });
    let server = TestServer::start(rooms().fallback(pages)).await;
    let requests = format!(
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n{}",
        handshake("/rooms/5", "")
    );
    let answer = RawClient::last_request(server.address(), &requests).await;
    assert!(answer.contains("401 Unauthorized"), "{answer}");
    assert!(answer.ends_with("log in first\n"), "{answer}");
}

#[tokio::test]
async fn a_missing_extension_is_a_500_whose_log_line_names_it() {
    #[derive(Clone)]
    struct UserId;
    #[derive(FromHandshake)]
    struct Data {
        #[from(extension)]
        _user: UserId,
    }
    struct Layered;
    #[ws_route("/layered", data = Data)]
    impl Layered {
        fn open(&self) {}
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Layered)).await;
    let refused = server.refused("/layered", &[]).await;
    assert_eq!(refused, (500, "internal error".into()));
    assert!(log.text().contains("UserId"), "{}", log.text());
}

#[tokio::test]
async fn a_route_written_by_hand_makes_data_of_any_type() {
    struct ByHand;
    impl Route for ByHand {
        const PATH: &'static str = "/by-hand";
        type Data = Vec<u8>;
        type Parameters = ();

        fn parameters(_: &PathValues) -> Result<(), Rejection> {
            Ok(())
        }

        async fn connect(&self, request: &Handshake, (): &()) -> Result<Vec<u8>, BoxError> {
            Ok(request.uri().path().into())
        }

        async fn open(&self, ws: &mut Socket<Vec<u8>>, (): &()) -> Result<(), BoxError> {
            ws.send(ws.data.clone());
            Ok(())
        }
    }
    let server = TestServer::start(App::new().ws(ByHand)).await;
    let mut client = server.connect("/by-hand").await;
    assert_eq!(client.message().await.into_data(), "/by-hand");
}
