//! Connection data: extractors that read the handshake, and their rejections.

use std::collections::HashMap;
use std::net::SocketAddr;

use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{Log, TestServer};
use serde::Deserialize;

#[derive(FromHandshake)]
struct Visitor {
    cookies: Cookies,
    url: Url,
    address: RemoteAddr,
    #[from(query)]
    room: Option<String>,
    #[from(query = "p")]
    page: Option<u32>,
    #[from(header = "user-agent")]
    agent: Option<String>,
    #[from(header)]
    x_request_id: Option<String>,
    #[from(cookie)]
    theme: Option<String>,
    #[from(default)]
    user_id: Option<u64>,
}

/// Answers each message with the part of its data that the message names.
struct Tell;

#[ws_route("/tell", data = Visitor)]
impl Tell {
    fn message(&self, ws: &mut Socket<Visitor>, message: String) {
        let data = &mut ws.data;
        let answer = match &*message {
            "url" => format!(
                "{} {} {:?}",
                data.url.as_str(),
                data.url.path(),
                data.url.query()
            ),
            "address" => data.address.to_string(),
            "room" => format!("{:?}", data.room),
            "page" => format!("{:?}", data.page),
            "agent" => format!("{:?} {:?}", data.agent, data.x_request_id),
            "theme" => format!("{:?}", data.theme),
            "log in" => format!("{:?} {:?}", data.user_id.replace(7), data.user_id),
            name => format!("{:?}", data.cookies.get(name)),
        };
        ws.send(answer);
    }
}

async fn server() -> TestServer {
    TestServer::start(App::new().ws(Tell)).await
}

/// Connects with this path and these headers; returns the part of the data that `name` names.
async fn answer(path: &str, headers: &[(&str, &str)], name: &str) -> String {
    let server = server().await;
    let mut client = server.connect_with(path, headers).await;
    client.send(name).await;
    client.text().await
}

#[tokio::test]
async fn cookies_keep_their_equals_signs() {
    let cookies = [("cookie", "token=a=b==; session_id=1")];
    assert_eq!(answer("/tell", &cookies, "token").await, r#"Some("a=b==")"#);
    assert_eq!(
        answer("/tell", &cookies, "session_id").await,
        r#"Some("1")"#
    );
}

#[tokio::test]
async fn quoted_cookies_lose_their_quotes_and_escapes_are_decoded() {
    let cookies = [("cookie", r#"a="x y"; b=%C3%BC; c=1%202"#)];
    assert_eq!(answer("/tell", &cookies, "a").await, r#"Some("x y")"#);
    assert_eq!(answer("/tell", &cookies, "b").await, r#"Some("ü")"#);
    assert_eq!(answer("/tell", &cookies, "c").await, r#"Some("1 2")"#);
}

#[tokio::test]
async fn a_cookie_with_an_invalid_escape_is_kept_verbatim_and_affects_no_other() {
    let cookies = [("cookie", "bad=100%; worse=%zz; good=1; =nameless; alone")];
    assert_eq!(answer("/tell", &cookies, "bad").await, r#"Some("100%")"#);
    assert_eq!(answer("/tell", &cookies, "worse").await, r#"Some("%zz")"#);
    assert_eq!(answer("/tell", &cookies, "good").await, r#"Some("1")"#);
    assert_eq!(answer("/tell", &cookies, "missing").await, "None");
}

#[tokio::test]
async fn a_field_reads_a_single_cookie_by_its_name() {
    assert_eq!(
        answer("/tell", &[("cookie", "theme=dark")], "theme").await,
        r#"Some("dark")"#
    );
    assert_eq!(answer("/tell", &[], "theme").await, "None");
}

#[tokio::test]
async fn query_values_are_decoded_and_may_be_missing() {
    assert_eq!(
        answer("/tell?room=a+b%26c", &[], "room").await,
        r#"Some("a b&c")"#
    );
    assert_eq!(answer("/tell", &[], "room").await, "None");
    assert_eq!(answer("/tell?p=3", &[], "page").await, "Some(3)");
}

#[tokio::test]
async fn an_optional_value_that_does_not_parse_is_400() {
    let (status, text) = server().await.refused("/tell?p=three", &[]).await;
    assert_eq!(status, 400);
    assert!(text.contains('p'), "{text}");
}

#[tokio::test]
async fn a_field_reads_a_header_by_its_given_name_or_by_the_fields_name() {
    let headers = [("user-agent", "test/1"), ("x-request-id", "42")];
    assert_eq!(
        answer("/tell", &headers, "agent").await,
        r#"Some("test/1") Some("42")"#
    );
}

#[tokio::test]
async fn url_and_address_are_those_of_the_request() {
    let path = "/tell?x=1&y=%20";
    let url = answer(path, &[], "url").await;
    assert_eq!(url, r#"/tell?x=1&y=%20 /tell Some("x=1&y=%20")"#);
    let address: SocketAddr = answer("/tell", &[], "address").await.parse().unwrap();
    assert!(address.ip().is_loopback());
}

#[tokio::test]
async fn data_is_mutable_and_belongs_to_one_connection() {
    let server = server().await;
    let (mut one, mut two) = (server.join("/tell").await, server.join("/tell").await);
    one.send("log in").await;
    assert_eq!(one.text().await, "None Some(7)");
    assert_eq!(
        two.text().await,
        "log in",
        "the broadcast of the first one's message"
    );
    two.send("log in").await;
    assert_eq!(two.text().await, "None Some(7)");
}

#[derive(FromHandshake)]
struct Strict {
    #[from(query)]
    token: String,
    #[from(path)]
    game: u32,
    #[from(header = "x-level")]
    level: u8,
}

struct Game;

#[ws_route("/games/{game}", data = Strict)]
impl Game {
    fn open(&self, ws: &mut Socket<Strict>) {
        let Strict { token, game, level } = &ws.data;
        ws.send(format!("{token} {game} {level}"));
    }
}

#[tokio::test]
async fn a_missing_or_invalid_required_value_is_rejected_by_name() {
    let server = TestServer::start(App::new().ws(Game)).await;
    let level = [("x-level", "3")];
    assert_eq!(
        server
            .connect_with("/games/5?token=t", &level)
            .await
            .text()
            .await,
        "t 5 3"
    );
    let (status, text) = server.refused("/games/5", &level).await;
    assert!(status == 400 && text.contains("token"), "{status} {text}");
    let (status, text) = server
        .refused("/games/5?token=t", &[("x-level", "300")])
        .await;
    assert!(status == 400 && text.contains("x-level"), "{status} {text}");
    let (status, text) = server.refused("/games/x?token=t", &level).await;
    assert!(status == 404 && text.contains("game"), "{status} {text}");
}

#[tokio::test]
async fn a_missing_required_cookie_is_a_400_by_its_type_or_a_1008_by_or_close() {
    #[derive(FromHandshake)]
    struct Required {
        #[from(cookie)]
        session_id: String,
    }
    struct ByType;
    #[ws_route("/by-type", broadcast = off)]
    impl ByType {
        fn open(&self, ws: &mut Socket<Required>) {
            ws.send(&ws.data.session_id);
        }
    }
    #[derive(FromHandshake)]
    struct Member {
        #[from(cookie)]
        session_id: Option<String>,
        #[from(default)]
        name: String,
    }
    struct InOpen;
    #[ws_route("/in-open", broadcast = off)]
    impl InOpen {
        fn open(&self, ws: &mut Socket<Member>) -> HandlerResult {
            let id = ws
                .data
                .session_id
                .as_deref()
                .or_close(1008, "Unauthorized")?;
            ws.data.name = format!("member {id}");
            Ok(())
        }
        fn message(&self, ws: &mut Socket<Member>) {
            ws.send(&ws.data.name);
        }
    }
    let server = TestServer::start(App::new().ws(ByType).ws(InOpen)).await;
    let (status, text) = server.refused("/by-type", &[]).await;
    assert_eq!(status, 400);
    assert!(text.contains("session_id"), "{text}");
    let closed = server.connect("/in-open").await.closed().await;
    assert_eq!(closed, (1008, "Unauthorized".into()));
    let cookie = [("cookie", "session_id=7")];
    let mut client = server.connect_with("/by-type", &cookie).await;
    assert_eq!(client.text().await, "7");
    let mut client = server.connect_with("/in-open", &cookie).await;
    client.send("who am I?").await;
    assert_eq!(client.text().await, "member 7");
}

#[tokio::test]
async fn a_whole_query_deserializes_into_a_struct() {
    #[derive(Deserialize)]
    struct Filter {
        tag: Vec<String>,
        limit: Option<u32>,
    }
    struct Feed;
    #[ws_route("/feed", data = Query<Filter>)]
    impl Feed {
        fn open(&self, ws: &mut Socket<Query<Filter>>) {
            let Filter { tag, limit } = &ws.data.0;
            ws.send(format!("{tag:?} {limit:?}"));
        }
    }
    let server = TestServer::start(App::new().ws(Feed)).await;
    let mut client = server.connect("/feed?tag=a&tag=b&limit=3").await;
    assert_eq!(client.text().await, r#"["a", "b"] Some(3)"#);
    for (path, rejection) in [
        (
            "/feed?tag=a&limit=secret",
            "invalid query parameter `limit`",
        ),
        (
            "/feed?tag=a&limit=1&limit=2",
            "invalid query parameter `limit`",
        ),
        ("/feed?limit=1", "missing query parameter `tag`"),
        ("/feed", "missing query parameter `tag`"),
    ] {
        let (status, text) = server.refused(path, &[]).await;
        assert_eq!((status, &*text), (400, rejection), "{path}");
    }
}

#[tokio::test]
async fn a_custom_extractor_can_await_and_reject_with_its_own_status() {
    struct Ticket(String);
    impl FromHandshake for Ticket {
        async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
            tokio::task::yield_now().await;
            let known = HashMap::from([("1", "ada")]);
            let ticket = handshake.header("x-ticket");
            let ticket = ticket.ok_or_else(|| Rejection::bad_request("no ticket"))?;
            let name = known.get(ticket).map(|name| Self((*name).to_owned()));
            name.ok_or_else(|| Rejection::new(http::StatusCode::PAYMENT_REQUIRED, "buy one"))
        }
    }
    struct Show;
    #[ws_route("/show", data = Ticket)]
    impl Show {
        fn open(&self, ws: &mut Socket<Ticket>) {
            ws.send(&*ws.data.0);
        }
    }
    let server = TestServer::start(App::new().ws(Show)).await;
    assert_eq!(
        server
            .connect_with("/show", &[("x-ticket", "1")])
            .await
            .text()
            .await,
        "ada"
    );
    let (status, text) = server.refused("/show", &[("x-ticket", "2")]).await;
    assert_eq!((status, &*text), (402, "buy one"));
    assert_eq!(server.refused("/show", &[]).await.0, 400);
}

#[tokio::test]
async fn a_panicking_extractor_is_a_500_and_the_server_keeps_running() {
    struct Fragile;
    impl FromHandshake for Fragile {
        async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
            assert!(handshake.header("x-break").is_none(), "broken");
            Ok(Self)
        }
    }
    struct Glass;
    #[ws_route("/glass", data = Fragile)]
    impl Glass {
        fn open(&self, ws: &mut Socket<Fragile>) {
            ws.send("whole");
        }
    }
    let server = TestServer::start(App::new().ws(Glass)).await;
    assert_eq!(server.refused("/glass", &[("x-break", "1")]).await.0, 500);
    assert_eq!(server.connect("/glass").await.text().await, "whole");
}

#[tokio::test]
async fn a_rejected_handshake_is_logged_with_its_status_and_path() {
    struct Needs;
    #[derive(FromHandshake)]
    struct Room {
        #[from(query)]
        _room: u32,
    }
    #[ws_route("/needs", data = Room)]
    impl Needs {
        fn open(&self) {}
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Needs)).await;
    assert_eq!(server.refused("/needs", &[]).await.0, 400);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("upgrade refused"));
    let line = line.expect("a line for the rejection");
    assert!(line.contains("400") && line.contains("/needs"), "{line}");
}

#[tokio::test]
async fn a_trusted_proxy_names_its_client_to_handlers_and_to_the_fallback() {
    use std::convert::Infallible;

    struct Named;
    #[ws_route("/named", broadcast = off)]
    impl Named {
        fn open(&self, ws: &mut Socket<RemoteAddr>) {
            ws.send(ws.data.to_string());
        }
    }
    let pages = tower::service_fn(|request: harpia::HttpRequest| async move {
        let address = request
            .extensions()
            .get::<RemoteAddr>()
            .map(RemoteAddr::to_string);
        let text = bytes::Bytes::from(address.unwrap_or_default());
        Ok::<_, Infallible>(http::Response::new(http_body_util::Full::new(text)))
    });
    let app = || App::new().ws(Named).fallback(pages);
    let forwarded = [("x-forwarded-for", "198.51.100.1, 203.0.113.7")];
    let page = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n";

    let trusting = TestServer::start(app().trusted_proxies(["127.0.0.0/8"])).await;
    let mut client = trusting.connect_with("/named", &forwarded).await;
    assert_eq!(client.text().await, "203.0.113.7:0");
    let answer = trusting.request(page).await;
    assert!(answer.ends_with("\r\n203.0.113.7:0"), "{answer}");

    let other = TestServer::start(app().trusted_proxies(["10.0.0.0/8"])).await;
    let mut client = other.connect_with("/named", &forwarded).await;
    assert!(client.text().await.starts_with("127.0.0.1:"));
    let answer = other.request(page).await;
    assert!(answer.contains("\r\n\r\n127.0.0.1:"), "{answer}");

    let wrong = app()
        .trusted_proxies(["proxy.example"])
        .bind("127.0.0.1:0")
        .await;
    assert!(wrong.is_err_and(|error| error.to_string().contains("`proxy.example`")));
}
