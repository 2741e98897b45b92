//! The opening: what the server reads first, how it spells its response, and what a refusal ends.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia::{HttpRequest, Origins};
use harpia_tests::{Events, Log, RawClient, TestServer, handshake, masked, status};
use http::{Response, StatusCode};
use http_body_util::Full;
use tower::service_fn;

struct Chat;

#[ws_route("/chat", broadcast = off)]
impl Chat {
    fn message(&self, ws: &mut Socket, message: Message) {
        ws.send(message);
    }
}

async fn server() -> TestServer {
    TestServer::start(App::new().ws(Chat)).await
}

/// Sends `request` together with a second request, and returns the whole response.
async fn answer_to_two(server: &TestServer, request: &str) -> String {
    let second = "GET /admin HTTP/1.1\r\nHost: h\r\n\r\n";
    RawClient::last_request(server.address(), &format!("{request}{second}")).await
}

/// Data that rejects every client.
struct Rejected;

impl FromHandshake for Rejected {
    async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
        Err(Rejection::new(StatusCode::FORBIDDEN, "closed"))
    }
}

struct Closed;

#[ws_route("/closed", data = Rejected)]
impl Closed {
    fn message(&self) {}
}

#[tokio::test]
async fn the_101_is_spelled_as_in_the_rfc() {
    struct Named;
    #[ws_route("/named", protocols = ["chat.v1"], compression = "1KiB")]
    impl Named {
        fn message(&self) {}
    }
    let server = TestServer::start(App::new().ws(Named)).await;
    let lines =
        "Sec-WebSocket-Protocol: chat.v1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    let bytes = handshake("/named", lines);
    let client = RawClient::upgrade(server.address(), bytes.as_bytes()).await;
    assert_eq!(
        client.answer(),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat.v1\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
         client_no_context_takeover\r\n\r\n"
    );
}

#[tokio::test]
async fn bytes_after_a_refused_upgrade_are_not_interpreted() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let pages = service_fn(move |request: HttpRequest| {
        if request.uri().path() == "/admin" {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("the admin page")))) }
    });
    let app = || App::new().ws(Chat).ws(Closed);
    let with_fallback = TestServer::start(app().fallback(pages)).await;
    let without = TestServer::start(app()).await;
    let post = handshake("/chat", "").replace("GET", "POST");
    let no_key = handshake("/chat", "").replace("Sec-WebSocket-Key", "X");
    let refused = [
        (handshake("/chat", "Origin: https://evil.example\r\n"), 403),
        (handshake("/closed", ""), 403),
        (no_key, 400),
        (handshake("/chat", "Sec-WebSocket-Version: 8\r\n"), 426),
        (post, 405),
    ];
    for (request, expected) in &refused {
        for server in [&with_fallback, &without] {
            let answer = answer_to_two(server, request).await;
            assert_eq!(status(&answer), *expected, "{answer}");
            assert_closes(&answer);
        }
    }
    let answer = answer_to_two(&without, &handshake("/nowhere", "")).await;
    assert_eq!(status(&answer), 404, "{answer}");
    assert_closes(&answer);
    // The fallback answers an upgrade for a path without a route. It does not take it.
    let answer = answer_to_two(&with_fallback, &handshake("/nowhere", "")).await;
    assert_closes(&answer);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}

/// Asserts that a response says that the connection is closed, and that there is no second one.
fn assert_closes(answer: &str) {
    let mut lines = answer.to_lowercase();
    lines.retain(|c| c != '\r');
    let says_so = lines
        .lines()
        .any(|line| line.starts_with("connection: close"));
    assert!(says_so, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn an_upgrade_refused_on_a_later_request_closes_the_connection() {
    let pages = service_fn(|_: HttpRequest| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("page"))))
    });
    let server = TestServer::start(App::new().ws(Chat).fallback(pages)).await;
    let page = "GET /page HTTP/1.1\r\nHost: h\r\n\r\n";
    let refused = handshake("/chat", "Origin: https://evil.example\r\n");
    let answer = answer_to_two(&server, &format!("{page}{refused}")).await;
    let (first, second) = answer.rsplit_once("HTTP/1.1").expect("two responses");
    assert_eq!(status(first), 200, "{answer}");
    assert_eq!(status(second), 403, "{answer}");
    assert!(second.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_later_request_of_the_same_client_can_upgrade() {
    let pages = service_fn(|_: HttpRequest| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let server = TestServer::start(App::new().ws(Chat).fallback(pages)).await;
    let mut client = RawClient::open(server.address(), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(status(&client.read_head().await), 200);
    let mut bytes = handshake("/chat", "").into_bytes();
    bytes.extend(masked(0x81, b"early"));
    client.write(&bytes).await;
    assert_eq!(status(&client.read_head().await), 101);
    let frame = client.read_frame().await;
    assert_eq!(frame.map(|frame| frame.text()).as_deref(), Some("early"));
}

#[tokio::test]
async fn an_upgrade_with_a_body_is_400_and_closed() {
    let server = server().await;
    let frame = String::from_utf8(masked(0x81, b"").to_vec()).unwrap_or_default();
    for (lines, body) in [
        ("Content-Length: 5\r\n", format!("HELLO{frame}")),
        ("Content-Length: 100\r\n", String::new()),
        (
            "Transfer-Encoding: chunked\r\n",
            "5\r\nHELLO\r\n0\r\n\r\n".into(),
        ),
        ("Content-Length: 0\r\nContent-Length: 5\r\n", "HELLO".into()),
    ] {
        let request = format!("{}{body}", handshake("/chat", lines));
        let answer = RawClient::last_request(server.address(), &request).await;
        assert_eq!(status(&answer), 400, "{lines}: {answer}");
    }
    let bytes = handshake("/chat", "Content-Length: 0\r\n");
    RawClient::upgrade(server.address(), bytes.as_bytes()).await;
}

#[tokio::test]
async fn a_second_version_line_is_426() {
    let request = handshake("/chat", "Sec-WebSocket-Version: 8\r\n");
    let answer = answer_to_two(&server().await, &request).await;
    assert_eq!(status(&answer), 426, "{answer}");
    assert!(answer.contains("Sec-WebSocket-Version: 13\r\n"), "{answer}");
}

#[tokio::test]
async fn a_slash_at_the_end_of_an_upgrades_path_is_ignored() {
    let server = server().await;
    let mut client = server.connect("/chat/?token=x").await;
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
    assert_eq!(server.refused("/chat//", &[]).await.0, 404);
}

#[tokio::test]
async fn a_target_in_absolute_form_replaces_the_host_header() {
    let server = server().await;
    let origin = "Origin: http://own.test\r\n";
    let request = handshake("http://own.test/chat", origin);
    RawClient::upgrade(server.address(), request.as_bytes()).await;
    let other = handshake("http://other.test/chat", origin).replace("localhost", "own.test");
    let answer = RawClient::last_request(server.address(), &other).await;
    assert_eq!(status(&answer), 403, "{answer}");
}

/// A fallback with a page at `/`, a 404 of its own at `/own`, and empty 404s and 405s.
fn site(request: &HttpRequest) -> Response<Full<Bytes>> {
    let (status, body) = match request.uri().path() {
        "/page" => (200, format!("the page by {}", request.method())),
        "/own" => (404, "not here, says the application".into()),
        "/empty" => (404, String::new()),
        _ => (405, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response
}

#[tokio::test]
async fn a_path_serves_a_page_and_a_socket() {
    macro_rules! route {
        ($name:ident, $path:literal) => {
            struct $name;
            #[ws_route($path)]
            impl $name {
                fn message(&self) {}
            }
        };
    }
    route!(Page, "/page");
    route!(Own, "/own");
    route!(Empty, "/empty");
    route!(NotAllowed, "/not-allowed");
    let routes = || App::new().ws(Page).ws(Own).ws(Empty).ws(NotAllowed);
    let pages =
        service_fn(|request: HttpRequest| async move { Ok::<_, Infallible>(site(&request)) });
    let server = TestServer::start(routes().fallback(pages)).await;
    for (method, path, expected, text) in [
        ("GET", "/page", 200, "the page by GET"),
        ("POST", "/page", 200, "the page by POST"),
        ("GET", "/own", 404, "says the application"),
        ("GET", "/empty", 426, "WebSocket"),
        ("POST", "/empty", 405, "WebSocket"),
        ("GET", "/not-allowed", 426, "WebSocket"),
        ("POST", "/not-allowed", 405, "WebSocket"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        let answer = server.request(&request).await;
        assert_eq!(status(&answer), expected, "{method} {path}: {answer}");
        assert!(answer.contains(text), "{method} {path}: {answer}");
    }
    server.join("/page").await;

    let bare = TestServer::start(routes()).await;
    for (method, expected) in [("GET", 426), ("HEAD", 426), ("POST", 405)] {
        let request = format!("{method} /page HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(status(&bare.request(&request).await), expected, "{method}");
    }
}

#[tokio::test]
async fn apps_extensions_and_null_connect_if_they_are_listed() {
    let list = ["capacitor://localhost", "chrome-extension://abc", "null"];
    let server = TestServer::start(App::new().origins(list).ws(Chat)).await;
    for origin in list {
        server.connect_with("/chat", &[("origin", origin)]).await;
    }
    let other = [("origin", "chrome-extension://other")];
    assert_eq!(server.refused("/chat", &other).await.0, 403);
}

#[tokio::test]
async fn a_list_with_null_removes_cookies_like_any() {
    struct Told(String);
    impl FromHandshake for Told {
        async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
            Ok(Self(format!("{:?}", handshake.header("cookie"))))
        }
    }
    struct Tell;
    #[ws_route("/tell", data = Told)]
    impl Tell {
        fn open(&self, ws: &mut Socket<Told>) {
            ws.send(ws.data.0.as_str());
        }
    }
    let with_null = Origins::from(["https://a.test", "null"]);
    let server = TestServer::start(App::new().origins(with_null).ws(Tell)).await;
    let mut client = server.connect_with("/tell", &[("cookie", "id=1")]).await;
    assert_eq!(client.text().await, "None");
}

#[tokio::test]
async fn an_ipv6_host_is_compared_as_an_address() {
    let lines = "Origin: http://[::1]\r\n";
    let request = handshake("/chat", lines).replace("localhost", "[0:0:0:0:0:0:0:1]:80");
    RawClient::upgrade(server().await.address(), request.as_bytes()).await;
}

/// Data that is never made. Reports when making it begins, and when it is dropped.
struct Never;

struct Dropped(Events);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

static NEVER: std::sync::OnceLock<Events> = std::sync::OnceLock::new();

impl FromHandshake for Never {
    async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
        if let Some(events) = NEVER.get() {
            events.note("begun");
            let _dropped = Dropped(events.clone());
            pending::<()>().await;
        }
        Ok(Self)
    }
}

struct Stuck;

#[ws_route("/stuck", data = Never)]
impl Stuck {
    fn message(&self) {}
}

#[tokio::test]
async fn a_client_that_leaves_while_its_data_is_made_frees_its_place() {
    let events = NEVER.get_or_init(Events::new).clone();
    let app = App::new().ws(Stuck).ws(Chat).max_connections(1);
    let server = TestServer::start(app).await;
    let bytes = format!("{}x", handshake("/stuck", ""));
    let client = RawClient::open(server.address(), bytes.as_bytes()).await;
    assert_eq!(events.next().await, "begun");
    drop(client);
    assert_eq!(events.next().await, "dropped");
    server.join("/chat").await;
}

#[tokio::test]
async fn data_that_is_not_made_in_time_is_503() {
    struct Slow;
    impl FromHandshake for Slow {
        async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
            pending().await
        }
    }
    struct Waiting;
    #[ws_route("/waiting", data = Slow)]
    impl Waiting {
        fn message(&self) {}
    }
    let log = Log::begin();
    let app = App::new().ws(Waiting).max_connections(1);
    let server = TestServer::start(app.handshake_timeout(Duration::from_millis(50))).await;
    for _ in 0..2 {
        assert_eq!(server.refused("/waiting", &[]).await.0, 503);
    }
    assert!(log.text().contains("handshake_timeout"), "{}", log.text());
}

#[tokio::test]
async fn an_incomplete_head_is_408() {
    let app = App::new()
        .ws(Chat)
        .handshake_timeout(Duration::from_millis(50));
    let server = TestServer::start(app).await;
    for part in ["", "GET /chat HTTP/1.1\r\nHost: h\r\n"] {
        let answer = RawClient::last_request(server.address(), part).await;
        assert_eq!(status(&answer), 408, "{answer}");
    }
}

#[tokio::test]
async fn a_head_may_arrive_byte_by_byte() {
    let server = server().await;
    let mut client = RawClient::open(server.address(), b"").await;
    for byte in handshake("/chat", "").bytes() {
        client.write(&[byte]).await;
    }
    assert_eq!(status(&client.read_head().await), 101);
}

#[tokio::test]
async fn bytes_that_arrive_while_the_data_is_made_are_not_lost() {
    struct Paused;
    static PAUSE: std::sync::OnceLock<(Events, Events)> = std::sync::OnceLock::new();
    impl FromHandshake for Paused {
        async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
            if let Some((begun, go_on)) = PAUSE.get() {
                begun.note("begun");
                go_on.next().await;
            }
            Ok(Self)
        }
    }
    struct Echo;
    #[ws_route("/echo", data = Paused, broadcast = off)]
    impl Echo {
        fn message(&self, ws: &mut Socket<Paused>, message: Message) {
            ws.send(message);
        }
    }
    let (begun, go_on) = PAUSE.get_or_init(|| (Events::new(), Events::new())).clone();
    let server = TestServer::start(App::new().ws(Echo)).await;
    let mut bytes = handshake("/echo", "").into_bytes();
    bytes.extend(masked(0x81, b"one"));
    let mut client = RawClient::open(server.address(), &bytes).await;
    begun.next().await;
    client.write(&masked(0x81, b"two")).await;
    go_on.note("go on");
    assert_eq!(status(&client.read_head().await), 101);
    for expected in ["one", "two"] {
        let frame = client.read_frame().await;
        assert_eq!(frame.map(|frame| frame.text()).as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn an_empty_protocol_header_offers_none() {
    struct Named;
    #[ws_route("/named", protocols = ["chat.v1"])]
    impl Named {
        fn message(&self) {}
    }
    let server = TestServer::start(App::new().ws(Named)).await;
    let bytes = handshake("/named", "Sec-WebSocket-Protocol: \r\n");
    let client = RawClient::upgrade(server.address(), bytes.as_bytes()).await;
    assert_eq!(client.header("sec-websocket-protocol"), None);
}

#[tokio::test]
async fn subprotocols_offered_to_a_route_without_any_are_logged() {
    let log = Log::begin();
    let server = server().await;
    let bytes = handshake("/chat", "Sec-WebSocket-Protocol: soap\r\n");
    RawClient::upgrade(server.address(), bytes.as_bytes()).await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("`protocols`"));
    let line = line.expect("a line about subprotocols");
    assert!(line.contains("INFO") && line.contains("/chat"), "{line}");
}

#[tokio::test]
async fn heads_that_the_parser_refuses_are_answered_by_hyper() {
    let server = server().await;
    for request in [
        "GET /chat HTTP/1.1\r\nHost : h\r\n\r\n",
        "nonsense\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
    ] {
        let answer = RawClient::last_request(server.address(), request).await;
        assert_eq!(status(&answer), 400, "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn a_fallback_can_upgrade_on_its_own() {
    let pages = service_fn(|mut request: HttpRequest| async move {
        tokio::spawn(async move {
            let _ = hyper::upgrade::on(&mut request).await;
        });
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        Ok::<_, Infallible>(response)
    });
    let server = TestServer::start(App::new().ws(Chat).fallback(pages)).await;
    let bytes = handshake("/other", "");
    let mut client = RawClient::open(server.address(), bytes.as_bytes()).await;
    let head = client.read_head().await;
    assert_eq!(status(&head), 101, "{head}");
    assert!(!head.contains("connection: close"), "{head}");
}
