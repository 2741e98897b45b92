//! What is upgraded, what is refused, and with which status.

use std::convert::Infallible;

use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{Log, RawClient, TestServer};

struct Echo;

#[ws_route("/echo", broadcast = off)]
impl Echo {
    fn message(&self, socket: &mut Socket, message: Message) {
        socket.send(message);
    }
}

async fn server() -> TestServer {
    TestServer::start(App::new().ws(Echo)).await
}

/// A handshake, with lines taken out and others put in.
fn handshake(without: &str, with: &str) -> String {
    let lines = [
        "GET /echo HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let kept = lines
        .iter()
        .filter(|line| without.is_empty() || !line.starts_with(without));
    let mut text: String = kept.map(|line| format!("{line}\r\n")).collect();
    if with.starts_with("GET") || with.starts_with("POST") {
        text = format!("{with}\r\n{text}\r\n");
    } else {
        text.push_str(&format!("{with}\r\n\r\n"));
    }
    text
}

fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1).unwrap_or_default();
    word.parse().unwrap_or_default()
}

#[tokio::test]
async fn the_accept_key_is_the_one_of_the_rfc() {
    let server = server().await;
    let mut client = server.connect("/echo").await;
    assert_eq!(client.header("upgrade"), Some("websocket"));
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test]
async fn a_plain_get_on_a_route_is_answered_with_426() {
    let answer = server()
        .await
        .request("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(status(&answer), 426);
    assert!(
        answer.to_lowercase().contains("upgrade: websocket"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_unknown_path_is_404_before_the_upgrade() {
    let (status, _) = server().await.refused("/nowhere", &[]).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn another_method_is_405() {
    let answer = server()
        .await
        .request(&handshake("GET", "POST /echo HTTP/1.1"))
        .await;
    assert_eq!(status(&answer), 405, "{answer}");
}

#[tokio::test]
async fn another_version_is_426_and_names_ours() {
    let request = handshake("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8");
    let answer = server().await.request(&request).await;
    assert_eq!(status(&answer), 426);
    assert!(
        answer.to_lowercase().contains("sec-websocket-version: 13"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_missing_a_short_and_a_doubled_key_are_400() {
    let server = server().await;
    let missing = handshake("Sec-WebSocket-Key", "X: y");
    let short = handshake("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ=");
    let doubled = handshake("", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");
    for request in [missing, short, doubled] {
        assert_eq!(status(&server.request(&request).await), 400, "{request}");
    }
}

#[tokio::test]
async fn a_missing_connection_token_and_http_1_0_are_400() {
    let server = server().await;
    let close = handshake("Connection", "Connection: close");
    assert_eq!(status(&server.request(&close).await), 400);
    let old = handshake("GET", "GET /echo HTTP/1.0");
    assert_eq!(status(&server.request(&old).await), 400);
}

#[tokio::test]
async fn a_request_without_exactly_one_host_is_400() {
    let server = server().await;
    let missing = handshake("Host", "X: y");
    let doubled = handshake("", "Host: localhost");
    let two = handshake("", "Host: other.test");
    let empty = handshake("Host", "Host:");
    for request in [missing, doubled, two, empty] {
        assert_eq!(status(&server.request(&request).await), 400, "{request}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_403_and_one_of_ours_is_not() {
    let server = server().await;
    let (status, _) = server
        .refused("/echo", &[("origin", "https://evil.test")])
        .await;
    assert_eq!(status, 403);
    let own = format!("http://{}", server.address());
    let mut client = server.connect_with("/echo", &[("origin", &own)]).await;
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
}

#[tokio::test]
async fn a_page_without_tls_is_403_where_a_proxy_says_that_the_request_had_it() {
    let server = server().await;
    let own = format!("http://{}", server.address());
    let headers = [("origin", &*own), ("x-forwarded-proto", "https")];
    assert_eq!(server.refused("/echo", &headers).await.0, 403);
}

#[tokio::test]
async fn a_list_of_origins_leaves_out_the_servers_own() {
    struct Listed;
    #[ws_route("/listed", origins = ["https://app.test"])]
    impl Listed {
        fn message(&self) {}
    }
    let server = TestServer::start(App::new().ws(Listed)).await;
    let own = format!("http://{}", server.address());
    let (status, _) = server.refused("/listed", &[("origin", &*own)]).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn listed_origins_connect_and_any_means_any() {
    struct Listed;
    #[ws_route("/listed", origins = ["https://app.test"])]
    impl Listed {
        fn open(&self, socket: &mut Socket) {
            socket.send("in");
        }
    }
    struct Open;
    #[ws_route("/open", origins = any)]
    impl Open {
        fn open(&self, socket: &mut Socket) {
            socket.send("in");
        }
    }
    let server = TestServer::start(App::new().ws(Listed).ws(Open)).await;
    let listed = [("origin", "https://app.test")];
    let other = [("origin", "https://other.test")];
    assert_eq!(
        server.connect_with("/listed", &listed).await.text().await,
        "in"
    );
    assert_eq!(server.refused("/listed", &other).await.0, 403);
    assert_eq!(
        server.connect_with("/open", &other).await.text().await,
        "in"
    );
}

#[tokio::test]
async fn a_cookie_that_is_read_where_any_page_may_connect_is_warned_of_once() {
    struct Open(Session<String>);
    #[ws_route("/open", origins = any)]
    impl Open {
        async fn open(&self, ws: &mut Socket) -> HandlerResult {
            ws.send("in");
            name(&self.0, ws).await
        }
    }
    /// Elsewhere, where the macro does not see it.
    async fn name(sessions: &Session<String>, ws: &Socket) -> HandlerResult {
        sessions.from_ws(ws).await?;
        Ok(())
    }
    struct Plain;
    #[ws_route("/plain", origins = any)]
    impl Plain {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Open(Session::memory())).ws(Plain)).await;
    for path in ["/plain", "/open", "/open"] {
        assert_eq!(server.connect(path).await.text().await, "in");
    }
    let text = log.text();
    assert_eq!(
        text.matches("this route reads cookies").count(),
        1,
        "{text}"
    );
    assert!(text.contains("path=\"/open\""), "{text}");
}

#[tokio::test]
async fn data_that_reads_all_headers_is_warned_of_once_they_bring_a_cookie() {
    struct ByHand(String);
    impl FromHandshake for ByHand {
        async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
            let cookie = handshake.headers().get("cookie");
            let cookie = cookie.and_then(|value| value.to_str().ok());
            Ok(Self(cookie.unwrap_or("none").to_owned()))
        }
    }
    struct Open;
    #[ws_route("/open", data = ByHand, origins = any)]
    impl Open {
        fn open(&self, ws: &mut Socket<ByHand>) {
            ws.send(&*ws.data.0);
        }
    }
    let log = Log::begin();
    let warnings = || log.text().matches("this route reads cookies").count();
    let server = TestServer::start(App::new().ws(Open)).await;
    assert_eq!(server.connect("/open").await.text().await, "none");
    assert_eq!(warnings(), 0);
    for cookie in ["a=1", "a=2"] {
        let mut client = server.connect_with("/open", &[("cookie", cookie)]).await;
        assert_eq!(client.text().await, cookie);
        assert_eq!(warnings(), 1);
    }
}

#[tokio::test]
async fn the_debug_of_a_handshakes_headers_shows_no_secret() {
    struct Shown(String);
    impl FromHandshake for Shown {
        async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
            Ok(Self(format!("{:?}", handshake.headers())))
        }
    }
    struct Tell;
    #[ws_route("/tell", data = Shown, protocols = ["bearer"])]
    impl Tell {
        fn open(&self, ws: &mut Socket<Shown>) {
            ws.send(&*ws.data.0);
        }
    }
    let server = TestServer::start(App::new().ws(Tell)).await;
    let headers = [
        ("cookie", "a=hunter2"),
        ("cookie", "b=hunter2"),
        ("authorization", "Bearer hunter2"),
        ("proxy-authorization", "Basic hunter2"),
        ("sec-websocket-protocol", "bearer, hunter2"),
        ("x-other", "shown"),
    ];
    let text = server.connect_with("/tell", &headers).await.text().await;
    assert!(text.contains("shown"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn the_debug_of_a_plain_request_shows_no_secret_of_its_headers() {
    let pages = tower::service_fn(|request: harpia::HttpRequest| async move {
        Ok::<_, Infallible>(http::Response::new(format!("{request:?}")))
    });
    let server = TestServer::start(App::new().fallback(pages)).await;
    let request = "GET /page HTTP/1.1\r\nHost: localhost\r\nCookie: a=hunter2\r\n\
                   Cookie: b=hunter2\r\nAuthorization: Bearer hunter2\r\n\r\n";
    let answer = server.request(request).await;
    assert!(answer.contains("/page"), "{answer}");
    assert!(!answer.contains("hunter2"), "{answer}");
}

#[tokio::test]
async fn an_app_refuses_any_origin_where_a_route_reads_cookies() {
    struct Chat;
    #[ws_route("/chat", data = Cookies)]
    impl Chat {
        fn message(&self) {}
    }
    struct Updates(Session<String>);
    #[ws_route("/updates")]
    impl Updates {
        async fn open(&self, ws: &mut Socket) -> HandlerResult {
            ws.send(self.0.from_ws(ws).await?);
            Ok(())
        }
    }
    let any = || App::new().origins(harpia::Origins::Any);
    let apps = [
        (any().ws(Chat), "/chat"),
        (any().ws(Updates(Session::memory())), "/updates"),
    ];
    for (app, path) in apps {
        let error = app.bind("127.0.0.1:0").await.expect_err("it is refused");
        let text = error.to_string();
        assert!(text.contains(path) && text.contains("cookies"), "{text}");
    }
}

#[tokio::test]
async fn the_first_of_our_subprotocols_is_agreed_on_and_told_to_the_handler() {
    struct Chat;
    #[ws_route("/chat", protocols = ["chat.v2", "chat.v1"])]
    impl Chat {
        fn open(&self, socket: &mut Socket) {
            socket.send(socket.protocol().unwrap_or("none"));
        }
    }
    let server = TestServer::start(App::new().ws(Chat)).await;
    let asked = [("sec-websocket-protocol", "chat.v1, chat.v2")];
    let mut client = server.connect_with("/chat", &asked).await;
    assert_eq!(client.header("sec-websocket-protocol"), Some("chat.v2"));
    assert_eq!(client.text().await, "chat.v2");
    assert_eq!(server.connect("/chat").await.text().await, "none");
    let unknown = [("sec-websocket-protocol", "soap")];
    assert_eq!(server.refused("/chat", &unknown).await.0, 400);
}

#[tokio::test]
async fn a_message_right_behind_the_handshake_is_not_lost() {
    let server = server().await;
    let mut bytes = handshake("", "X: y").into_bytes();
    // "hi" with a mask of zeros.
    bytes.extend_from_slice(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    let mut client = RawClient::upgrade(server.address(), &bytes).await;
    let frame = client.read_frame().await;
    assert_eq!(frame.map(|frame| frame.text()).as_deref(), Some("hi"));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let request = handshake("", &format!("X-Large: {}", "x".repeat(64 * 1024)));
    let answer = server().await.request(&request).await;
    assert_eq!(status(&answer), 431, "{answer}");
}
