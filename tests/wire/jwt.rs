//! JSON Web Tokens: every place where a client can send one, and connections that close when
//! their token expires.

use harpia::auth::{Jwt, Key};
use harpia::prelude::*;
use harpia_tests::{Client, Events, Log, RawClient, TestServer, within};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use serde_json::json;

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

const SECRET: [u8; 32] = [7; 32];
const RSA: &[u8] = include_bytes!("../../harpia/src/auth/test_keys/rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("../../harpia/src/auth/test_keys/rsa.pub.pem");

/// Makes a token for `ada` that expires after this many seconds.
fn token(seconds: i64) -> String {
    let exp = get_current_timestamp().saturating_add_signed(seconds);
    let claims = json!({ "sub": "ada", "exp": exp });
    let key = EncodingKey::from_secret(&SECRET);
    encode(&Header::default(), &claims, &key).expect("a token")
}

/// Makes invalid tokens: expired, truncated and malformed.
fn invalid() -> Vec<String> {
    let valid = token(60);
    vec![token(-60), valid[..valid.len() - 4].to_owned(), "x".into()]
}

/// Makes a route that reads the token from one place of the handshake.
macro_rules! by_handshake {
    (
        $name:ident, $path:literal, |$jwt:ident, $ws:ident| $read:expr
        $(, $option:ident = $value:tt)*
    ) => {
        struct $name(Jwt<Claims>, Events);

        #[ws_route($path, broadcast = off $(, $option = $value)*)]
        impl $name {
            fn open(&self, ws: &mut Socket) -> HandlerResult {
                self.welcome(ws)
            }

            /// Too late: the handshake's credentials are forgotten.
            fn message(&self, ws: &mut Socket, _message: String) -> HandlerResult {
                self.welcome(ws)
            }

            fn welcome(&self, ws: &mut Socket) -> HandlerResult {
                let ($jwt, $ws) = (&self.0, ws);
                let claims = $read?;
                $ws.send(format!("welcome, {}", claims.sub));
                Ok(())
            }

            fn error(&self, error: &harpia::Error) {
                self.1.note(format_args!("{error:#}"));
            }
        }
    };
}

by_handshake!(Cookie, "/cookie", |jwt, ws| jwt.from_cookie(ws, "token"));
by_handshake!(Bearer, "/bearer", |jwt, ws| jwt.from_bearer(ws));
by_handshake!(
    Protocol,
    "/protocol",
    |jwt, ws| jwt.from_protocol(ws),
    protocols = ["bearer"]
);
by_handshake!(Mute, "/mute", |jwt, ws| jwt.from_protocol(ws));
by_handshake!(Query, "/query", |jwt, ws| jwt.from_query(ws, "token"));

/// Reads a token from the first message, and from any later message that begins with `token `.
struct First(Jwt<Claims>);

#[ws_route("/first")]
impl First {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
        self.0.from_message(ws, &first)?;
        Ok(())
    }

    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }

    fn message(&self, ws: &mut Socket, message: String) -> HandlerResult<Broadcast> {
        let Some(token) = message.strip_prefix("token ") else {
            return Ok(Broadcast::Pass);
        };
        self.0.from_message(ws, token)?;
        ws.send("extended");
        Ok(Broadcast::Skip)
    }
}

async fn start() -> (TestServer, Events) {
    let jwt = Jwt::hs256(SECRET).expect("a key");
    let events = Events::new();
    let app = App::new()
        .ws(Cookie(jwt.clone(), events.clone()))
        .ws(Bearer(jwt.clone(), events.clone()))
        .ws(Protocol(jwt.clone(), events.clone()))
        .ws(Query(jwt.clone(), events.clone()))
        .ws(First(jwt));
    (TestServer::start(app).await, events)
}

/// Connects with a token at this place of the handshake.
async fn with_token(server: &TestServer, place: &str, token: &str) -> Client {
    let header = |name, value: String| async move {
        server
            .connect_with(&format!("/{place}"), &[(name, &value)])
            .await
    };
    match place {
        "cookie" => header("cookie", format!("token={token}")).await,
        "bearer" => header("authorization", format!("Bearer {token}")).await,
        "protocol" => header("sec-websocket-protocol", format!("bearer, {token}")).await,
        _ => server.connect(&format!("/query?token={token}")).await,
    }
}

const PLACES: [&str; 4] = ["cookie", "bearer", "protocol", "query"];

#[tokio::test]
async fn a_token_is_read_from_cookie_header_subprotocol_and_query() {
    let (server, _events) = start().await;
    for place in PLACES {
        let mut client = with_token(&server, place, &token(60)).await;
        assert_eq!(client.text().await, "welcome, ada", "{place}");
        let protocol = client.header("sec-websocket-protocol");
        assert_eq!(protocol, (place == "protocol").then_some("bearer"));
    }
}

#[tokio::test]
async fn an_invalid_token_closes_with_1008_and_its_error_does_not_quote_it() {
    let (server, events) = start().await;
    for place in PLACES {
        for token in invalid() {
            let mut client = with_token(&server, place, &token).await;
            assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
            let logged = events.next().await;
            assert!(logged.contains("invalid token: "), "{logged}");
            assert!(!logged.contains(&token) || token == "x", "{logged}");
        }
    }
}

#[tokio::test]
async fn a_missing_token_closes_with_1008_and_its_error_names_the_place() {
    let (server, events) = start().await;
    for (place, named) in [
        ("cookie", "no token in the cookie `token`"),
        ("bearer", "no token in the `Authorization` header"),
        ("query", "no token in the query by the name `token`"),
    ] {
        let mut client = server.connect(&format!("/{place}")).await;
        assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
        let logged = events.next().await;
        assert!(logged.contains(named), "{logged}");
    }
    let alone = [("sec-websocket-protocol", "bearer")];
    let mut client = server.connect_with("/protocol", &alone).await;
    assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
}

#[tokio::test]
async fn a_token_as_subprotocol_on_a_route_without_bearer_closes_with_1011() {
    let jwt = Jwt::hs256(SECRET).expect("a key");
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Mute(jwt, events.clone()))).await;
    let offer = format!("bearer, {}", token(60));
    let text = format!(
        "GET /mute HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {offer}\r\n\r\n"
    );
    let mut client = RawClient::upgrade(server.address(), text.as_bytes()).await;
    assert_eq!(client.close_code().await, 1011);
    let logged = events.next().await;
    assert!(
        logged.contains("add `protocols = [\"bearer\"]`"),
        "{logged}"
    );
}

#[tokio::test]
async fn reading_a_token_after_open_closes_with_1011() {
    let (server, events) = start().await;
    for place in PLACES {
        let mut client = with_token(&server, place, &token(60)).await;
        assert_eq!(client.text().await, "welcome, ada");
        client.send("again").await;
        assert_eq!(client.closed().await.0, 1011);
        assert_eq!(
            events.next().await,
            "the handshake's credentials are forgotten once `open` has returned: read the token in \
             `auth` or `open`, and keep its claims in `ws.data`"
        );
    }
}

#[tokio::test]
async fn a_token_in_a_cookie_is_removed_where_any_page_may_connect_and_a_bearer_token_is_not() {
    let (jwt, events) = (Jwt::hs256(SECRET).unwrap(), Events::new());
    let app = App::new()
        .origins(harpia::Origins::Any)
        .ws(Cookie(jwt.clone(), events.clone()))
        .ws(Bearer(jwt, events.clone()));
    let server = TestServer::start(app).await;
    let mut client = with_token(&server, "bearer", &token(60)).await;
    assert_eq!(client.text().await, "welcome, ada");
    let mut client = with_token(&server, "cookie", &token(60)).await;
    assert_eq!(client.closed().await.0, 1008);
}

#[tokio::test]
async fn a_token_as_first_message_authenticates_and_is_not_broadcast() {
    let (server, _events) = start().await;
    let mut other = server.connect("/first").await;
    other.send(&token(60)).await;
    assert_eq!(other.text().await, "welcome");
    let mut other = other.active().await;
    let mut client = server.connect("/first").await;
    for text in [&token(60), "hello"] {
        client.send(text).await;
    }
    assert_eq!(client.text().await, "welcome");
    assert_eq!(other.text().await, "hello");
    for token in invalid() {
        let mut client = server.connect("/first").await;
        client.send(&token).await;
        assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
    }
}

#[tokio::test]
async fn a_connection_closes_with_4401_when_its_token_expires() {
    let (server, _events) = start().await;
    // Three seconds, so that the token is still valid when it arrives.
    let short = token(3);
    let mut first = server.connect("/first").await;
    first.send(&short).await;
    assert_eq!(first.text().await, "welcome");
    let mut clients = vec![first];
    for place in PLACES {
        let mut client = with_token(&server, place, &short).await;
        assert_eq!(client.text().await, "welcome, ada");
        clients.push(client);
    }
    for mut client in clients {
        assert_eq!(client.closed().await, (4401, "Token Expired".into()));
    }
}

#[tokio::test]
async fn a_fresh_token_extends_the_connection_and_an_invalid_one_closes_it() {
    let (server, _events) = start().await;
    let short = token(3);
    let (mut extended, mut expires) = (
        server.connect("/first").await,
        server.connect("/first").await,
    );
    for client in [&mut extended, &mut expires] {
        client.send(&short).await;
        assert_eq!(client.text().await, "welcome");
    }
    extended.send(&format!("token {}", token(60))).await;
    assert_eq!(extended.text().await, "extended");
    assert_eq!(expires.closed().await, (4401, "Token Expired".into()));
    extended.send(&format!("token {}", token(60))).await;
    assert_eq!(within(extended.text()).await, "extended");
    extended.send(&format!("token {}", token(-60))).await;
    assert_eq!(extended.closed().await, (1008, "Invalid Token".into()));
}

#[tokio::test]
async fn the_kid_selects_the_key_and_with_it_the_algorithm() {
    let jwt = Jwt::keys()
        .add("old", Key::hs256(SECRET).expect("a secret"))
        .add("new", Key::rs256_pem(RSA_PUBLIC).expect("a public key"))
        .build()
        .expect("a set");
    let server = TestServer::start(App::new().ws(Bearer(jwt, Events::new()))).await;
    let rsa = EncodingKey::from_rsa_pem(RSA).expect("a private key");
    let signed = |kid: &str, algorithm, key: &EncodingKey| {
        let mut header = Header::new(algorithm);
        header.kid = Some(kid.into());
        let claims = json!({ "sub": kid, "exp": get_current_timestamp() + 60 });
        encode(&header, &claims, key).expect("a token")
    };
    let old = signed("old", Algorithm::HS256, &EncodingKey::from_secret(&SECRET));
    let new = signed("new", Algorithm::RS256, &rsa);
    // Signed with the public key as an HMAC secret. Anyone could do that.
    let swapped = EncodingKey::from_secret(RSA_PUBLIC);
    let swapped = signed("new", Algorithm::HS256, &swapped);
    for (token, welcome) in [(old, "welcome, old"), (new, "welcome, new")] {
        let mut client = with_token(&server, "bearer", &token).await;
        assert_eq!(client.text().await, welcome);
    }
    let mut client = with_token(&server, "bearer", &swapped).await;
    assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
}

#[tokio::test]
async fn tokens_do_not_reach_the_log_even_if_the_handler_panics() {
    struct Fragile(Jwt<Claims>);
    #[ws_route("/fragile", broadcast = off, protocols = ["bearer"])]
    impl Fragile {
        async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
            self.0.from_message(ws, &first)?;
            self.0.from_query(ws, "token")?;
            self.0.from_protocol(ws)?;
            self.0.from_bearer(ws)?;
            self.0.from_cookie(ws, "token")?;
            panic!("a bug")
        }
    }
    let log = Log::begin();
    let jwt = Jwt::hs256(SECRET).expect("a key");
    let server = TestServer::start(App::new().ws(Fragile(jwt))).await;
    // Each round has an invalid token at another place. In the last round all are valid.
    let tokens: Vec<_> = (60..65).map(token).collect();
    for invalid in 0..=tokens.len() {
        let mut sent = tokens.clone();
        if let Some(token) = sent.get_mut(invalid) {
            token.pop();
        }
        let headers = [
            ("sec-websocket-protocol", &*format!("bearer, {}", sent[2])),
            ("authorization", &*format!("Bearer {}", sent[3])),
            ("cookie", &*format!("token={}", sent[4])),
        ];
        let path = format!("/fragile?token={}", sent[1]);
        let mut client = server.connect_with(&path, &headers).await;
        client.send(&sent[0]).await;
        let expected = if invalid < tokens.len() { 1008 } else { 1011 };
        assert_eq!(client.closed().await.0, expected);
    }
    let text = log.text();
    assert!(text.contains("a bug"), "{text}");
    for token in tokens {
        for part in token.split('.').skip(1) {
            let is_hidden = !text.contains(&part[..part.len() - 1]);
            assert!(is_hidden, "{part} is in the log: {text}");
        }
    }
}

#[tokio::test]
async fn a_token_that_verify_rejects_closes_with_1008_from_open_and_from_message() {
    struct Own(Jwt<Claims>);
    #[ws_route("/own/{token}", broadcast = off)]
    impl Own {
        fn open(&self, ws: &mut Socket, token: &str) -> HandlerResult {
            ws.send(self.0.verify(token)?.sub);
            Ok(())
        }

        fn message(&self, message: String) -> HandlerResult {
            self.0.verify(&message)?;
            Ok(())
        }
    }
    let jwt = Jwt::hs256(SECRET).expect("a key");
    let server = TestServer::start(App::new().ws(Own(jwt))).await;
    let invalid = (1008, "Invalid Token".to_owned());
    let mut client = server.connect("/own/none").await;
    assert_eq!(client.closed().await, invalid);
    let mut client = server.connect(&format!("/own/{}", token(60))).await;
    client.text().await;
    client.send("none").await;
    assert_eq!(client.closed().await, invalid);
}
