//! The handshake: which requests are upgraded, and which are rejected with which status.

use std::convert::Infallible;

use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{Log, RawClient, TestServer, masked, status};

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

/// Makes a handshake without the lines that start with `without`, and with the line `with`.
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

#[tokio::test]
async fn a_standard_client_accepts_the_upgrade() {
    let server = server().await;
    // tokio-tungstenite checks `Sec-WebSocket-Accept`.
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
async fn a_method_other_than_get_is_405() {
    let answer = server()
        .await
        .request(&handshake("GET", "POST /echo HTTP/1.1"))
        .await;
    assert_eq!(status(&answer), 405, "{answer}");
}

#[tokio::test]
async fn an_unsupported_version_is_426_and_names_version_13() {
    let request = handshake("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8");
    let answer = server().await.request(&request).await;
    assert_eq!(status(&answer), 426);
    assert!(
        answer.to_lowercase().contains("sec-websocket-version: 13"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_missing_short_or_repeated_key_is_400() {
    let server = server().await;
    let missing = handshake("Sec-WebSocket-Key", "X: y");
    let short = handshake("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ=");
    let repeated = handshake("", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==");
    for request in [missing, short, repeated] {
        assert_eq!(status(&server.request(&request).await), 400, "{request}");
    }
}

#[tokio::test]
async fn a_request_without_connection_upgrade_or_over_http_1_0_is_400() {
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
    let repeated = handshake("", "Host: localhost");
    let two = handshake("", "Host: other.test");
    let empty = handshake("Host", "Host:");
    for request in [missing, repeated, two, empty] {
        assert_eq!(status(&server.request(&request).await), 400, "{request}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_403_and_a_page_of_the_server_connects() {
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
async fn a_page_without_tls_is_403_if_a_proxy_reports_tls() {
    let server = server().await;
    let own = format!("http://{}", server.address());
    let headers = [("origin", &*own), ("x-forwarded-proto", "https")];
    assert_eq!(server.refused("/echo", &headers).await.0, 403);
}

#[tokio::test]
async fn a_list_of_origins_does_not_include_the_servers_own() {
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
async fn listed_origins_connect_and_any_allows_every_origin() {
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
async fn cookies_and_basic_credentials_are_removed_where_any_page_may_connect() {
    /// All headers, as a type that is written by hand may read them.
    struct Headers(String);
    impl FromHandshake for Headers {
        async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
            let mut names: Vec<_> = handshake
                .headers()
                .iter()
                .filter(|(name, _)| ["authorization", "cookie"].contains(&name.as_str()))
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
                .collect();
            names.sort();
            Ok(Self(names.join(", ")))
        }
    }
    struct Open(Session<String>);
    #[ws_route("/open", data = Headers, origins = any)]
    impl Open {
        async fn open(&self, ws: &mut Socket<Headers>) -> HandlerResult {
            ws.send(ws.data.0.as_str());
            ws.send(self.0.from_ws(ws).await?);
            Ok(())
        }
    }
    struct Own;
    #[ws_route("/own", data = Headers)]
    impl Own {
        fn open(&self, ws: &mut Socket<Headers>) {
            ws.send(ws.data.0.as_str());
        }
    }
    let sessions = Session::memory();
    let id = sessions.create("Ada".to_owned()).await.unwrap();
    let cookie = sessions.cookie(&id);
    let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
    let server = TestServer::start(App::new().ws(Open(sessions)).ws(Own)).await;
    let basic = [("cookie", cookie), ("authorization", "bAsIc QWRhOng=")];
    let mut client = server.connect_with("/open", &basic).await;
    assert_eq!(client.text().await, "");
    assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
    // A page has to know a bearer token to send it.
    let bearer = [("cookie", cookie), ("authorization", "Bearer token")];
    let mut client = server.connect_with("/open", &bearer).await;
    assert_eq!(client.text().await, "authorization: Bearer token");
    let mut client = server.connect_with("/own", &basic).await;
    let received = client.text().await;
    assert!(
        received.contains(cookie) && received.contains("bAsIc"),
        "{received}"
    );
}

#[tokio::test]
async fn debug_output_of_handshake_headers_shows_no_secret() {
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
async fn debug_output_of_a_plain_request_shows_no_secret() {
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
    let app = App::new().origins(harpia::Origins::Any).ws(Chat);
    let error = app.bind("127.0.0.1:0").await.expect_err("it is refused");
    let text = error.to_string();
    assert!(text.contains("/chat") && text.contains("cookies"), "{text}");
}

#[tokio::test]
async fn the_servers_first_matching_subprotocol_is_selected() {
    struct Chat;
    #[ws_route("/chat", protocols = ["chat.v2", "chat.v1"])]
    impl Chat {
        fn open(&self, socket: &mut Socket) {
            socket.send(socket.protocol().unwrap_or("none"));
        }
    }
    let server = TestServer::start(App::new().ws(Chat)).await;
    let offered = [("sec-websocket-protocol", "chat.v1, chat.v2")];
    let mut client = server.connect_with("/chat", &offered).await;
    assert_eq!(client.header("sec-websocket-protocol"), Some("chat.v2"));
    assert_eq!(client.text().await, "chat.v2");
    assert_eq!(server.connect("/chat").await.text().await, "none");
    let unknown = [("sec-websocket-protocol", "soap")];
    assert_eq!(server.refused("/chat", &unknown).await.0, 400);
}

#[tokio::test]
async fn a_message_sent_together_with_the_handshake_is_not_lost() {
    let server = server().await;
    let mut bytes = handshake("", "X: y").into_bytes();
    bytes.extend(masked(0x81, b"hi"));
    let mut client = RawClient::upgrade(server.address(), &bytes).await;
    let frame = client.read_frame().await;
    assert_eq!(frame.map(|frame| frame.text()).as_deref(), Some("hi"));
}

#[tokio::test]
async fn an_oversized_request_head_is_431() {
    let request = handshake("", &format!("X-Large: {}", "x".repeat(64 * 1024)));
    let answer = server().await.request(&request).await;
    assert_eq!(status(&answer), 431, "{answer}");
}

#[tokio::test]
async fn a_rejected_origin_is_logged_with_origin_host_and_remedy() {
    let log = Log::begin();
    let server = server().await;
    let headers = [("origin", "https://evil.example")];
    assert_eq!(server.refused("/echo?token=secret", &headers).await.0, 403);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("upgrade refused"));
    let line = line.expect("a line for the rejection");
    for part in [
        "INFO",
        "https://evil.example",
        "127.0.0.1",
        "`origins`",
        "/echo",
        "403",
    ] {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
    assert!(!line.contains("secret"));
}
