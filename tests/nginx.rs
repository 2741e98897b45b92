//! harpia behind a real nginx, with the configurations of the guide.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use harpia::prelude::*;
use harpia_tests::{
    CertificateFiles, Log, Nginx, Program, RawClient, TestServer, handshake, start_tls, status,
    within,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Tells each client its address, and then echoes.
struct Named;

#[ws_route("/named", broadcast = off)]
impl Named {
    fn open(&self, ws: &mut Socket<RemoteAddr>) {
        ws.send(ws.data.to_string());
    }

    fn message(&self, ws: &mut Socket<RemoteAddr>, message: Message) {
        match message {
            Message::Text(text) if text == "close" => ws.close(4001, "As You Wish"),
            message => drop(ws.send(message)),
        };
    }
}

fn app() -> App {
    App::new().ws(Named)
}

/// A server behind nginx with the configuration of the guide.
struct Site {
    nginx: Nginx,
    server: TestServer,
    trusted: Vec<CertificateDer<'static>>,
    _files: CertificateFiles,
}

impl Site {
    async fn start(app: App, change: impl FnOnce(String) -> String) -> Self {
        let files = CertificateFiles::new();
        let trusted = vec![files.renew()];
        let server = TestServer::start(app).await;
        let backend = server.address().to_string();
        Self {
            nginx: Nginx::start_as_in_the_guide(&backend, &files, change),
            server,
            trusted,
            _files: files,
        }
    }

    /// Connects with TLS from another address than the proxy's.
    async fn connect(&self) -> TlsStream<TcpStream> {
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = SocketAddr::from(([127, 0, 0, 2], 0));
        socket.bind(from).expect("an address of this machine");
        let stream = within(socket.connect(self.nginx.address())).await;
        let stream = start_tls(stream.expect("nginx accepts"), &self.trusted).await;
        stream.expect("a TLS connection")
    }

    /// Sends a request, and returns the start of the answer.
    async fn answer(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        within(stream.write_all(request.as_bytes()))
            .await
            .expect("it is sent");
        first_bytes(&mut stream).await
    }
}

async fn first_bytes(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = vec![0; 4096];
    let read = within(stream.read(&mut answer)).await.expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Builds an upgrade request for a host, with more lines.
fn upgrade(path: &str, host: &str, lines: &str) -> String {
    handshake(path, lines).replace("Host: localhost", &format!("Host: {host}"))
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn the_configuration_of_the_guide_passes_messages_and_the_clients_address() {
    let site = Site::start(app().trusted_proxies(["127.0.0.1"]), |text| text).await;
    let mut request = "wss://example.com/named"
        .into_client_request()
        .expect("a request");
    let headers = request.headers_mut();
    headers.insert("origin", "https://example.com".parse().expect("a value"));
    // nginx replaces the header, so that this address counts for nothing.
    headers.insert("x-forwarded-for", "198.51.100.1".parse().expect("a value"));
    let upgraded = within(client_async(request, site.connect().await)).await;
    let mut client = upgraded.expect("the upgrade").0;
    let mut next = async || {
        within(client.next())
            .await
            .expect("a message")
            .expect("no error")
    };
    assert_eq!(next().await, Frame::text("127.0.0.2:0"));
    for message in [
        Frame::text("hello"),
        Frame::binary(vec![7; 60_000]),
        Frame::text(""),
    ] {
        within(client.send(message.clone()))
            .await
            .expect("it is sent");
        let back = within(client.next())
            .await
            .expect("a message")
            .expect("no error");
        assert_eq!(back, message);
    }
    within(client.send(Frame::text("close")))
        .await
        .expect("it is sent");
    match within(client.next()).await {
        Some(Ok(Frame::Close(Some(frame)))) => {
            assert_eq!(u16::from(frame.code), 4001);
            assert_eq!(frame.reason.as_str(), "As You Wish");
        }
        other => panic!("no close frame: {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn a_proxy_that_appends_to_the_forwarded_header_does_not_pass_a_forged_address() {
    let appends = |text: String| text.replace("For $remote_addr", "For $proxy_add_x_forwarded_for");
    let site = Site::start(app().trusted_proxies(["127.0.0.1"]), appends).await;
    let mut request = "wss://example.com/named"
        .into_client_request()
        .expect("a request");
    let forged = "198.51.100.1, 127.0.0.1".parse().expect("a value");
    request.headers_mut().insert("x-forwarded-for", forged);
    let upgraded = within(client_async(request, site.connect().await)).await;
    let mut client = upgraded.expect("the upgrade").0;
    let first = within(client.next())
        .await
        .expect("a message")
        .expect("no error");
    assert_eq!(first, Frame::text("127.0.0.2:0"));
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn only_pages_of_the_site_itself_over_tls_connect_through_nginx() {
    let site = Site::start(app(), |text| text).await;
    for (origin, expected) in [
        ("https://example.com", 101),
        ("https://evil.example", 403),
        ("https://example.com:8443", 403),
        // Anyone on the network path can change a page without TLS.
        ("http://example.com", 403),
    ] {
        let line = format!("Origin: {origin}\r\n");
        let answer = site.answer(&upgrade("/named", "example.com", &line)).await;
        assert_eq!(status(&answer), expected, "{origin}: {answer}");
    }
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn on_another_port_the_proxy_has_to_pass_the_port_on() {
    let request = upgrade(
        "/named",
        "example.com:8443",
        "Origin: https://example.com:8443\r\n",
    );
    let with_host = Site::start(app(), |text| text).await;
    assert_eq!(status(&with_host.answer(&request).await), 403);
    let with_http_host = |text: String| text.replace("Host $host", "Host $http_host");
    let with_port = Site::start(app(), with_http_host).await;
    assert_eq!(status(&with_port.answer(&request).await), 101);
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn a_proxy_that_does_not_pass_the_host_on_needs_a_list_of_origins() {
    let log = Log::begin();
    let without_host = |text: String| {
        let line = "proxy_set_header Host $host;";
        assert!(text.contains(line));
        text.replace(line, "")
    };
    let request = upgrade("/named", "example.com", "Origin: https://example.com\r\n");
    let site = Site::start(app(), without_host).await;
    assert_eq!(status(&site.answer(&request).await), 403);
    let (text, backend) = (log.text(), site.server.address().to_string());
    for part in ["https://example.com", &backend, "origins"] {
        assert!(text.contains(part), "the log does not name {part}: {text}");
    }
    let listed = app().origins(["https://example.com"]);
    let site = Site::start(listed, without_host).await;
    assert_eq!(status(&site.answer(&request).await), 101);
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn a_proxy_that_does_not_pass_the_upgrade_on_gets_426() {
    let without_upgrade = |text: String| {
        let line = "proxy_set_header Upgrade $http_upgrade;";
        assert!(text.contains(line));
        text.replace(line, "")
    };
    let site = Site::start(app(), without_upgrade).await;
    let answer = site.answer(&upgrade("/named", "example.com", "")).await;
    assert_eq!(status(&answer), 426, "{answer}");
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn a_prefix_can_be_kept_or_stripped_by_the_proxy() {
    let location = |backend: SocketAddr, path: &str| {
        format!(
            "location /live/ {{ proxy_pass http://{backend}{path}; proxy_http_version 1.1; \
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }}"
        )
    };
    let stripped = TestServer::start(app()).await;
    let nginx = Nginx::start(&location(stripped.address(), "/"));
    RawClient::connect(nginx.address(), "/live/named").await;

    let router = Router::new().ws(Named);
    let kept = TestServer::start(App::new().nest("/live", router)).await;
    let nginx = Nginx::start(&location(kept.address(), ""));
    RawClient::connect(nginx.address(), "/live/named").await;
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn the_limit_on_logins_in_the_guide_stops_a_flood_and_leaves_other_paths_alone() {
    let pages = tower::service_fn(async |_: harpia::HttpRequest| {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::from("page")))
    });
    let site = Site::start(app().fallback(pages), Nginx::with_login_limit).await;
    let get = |path| format!("GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n");
    for _ in 0..6 {
        assert_eq!(status(&site.answer(&get("/login")).await), 200);
    }
    assert_eq!(status(&site.answer(&get("/login")).await), 503);
    assert_eq!(status(&site.answer(&get("/")).await), 200);
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn a_proxy_without_knowledge_of_http_names_the_client_by_the_proxy_protocol() {
    let app = app().trusted_proxies(["127.0.0.1"]).proxy_protocol(true);
    let server = TestServer::start(app).await;
    let nginx = Nginx::start_for_tcp(server.address());
    let socket = TcpSocket::new_v4().expect("a socket");
    let from = SocketAddr::from(([127, 0, 0, 2], 0));
    socket.bind(from).expect("an address of this machine");
    let stream = within(socket.connect(nginx.address()))
        .await
        .expect("nginx accepts");
    let own = stream.local_addr().expect("an address").to_string();
    let upgraded = within(client_async("ws://example.com/named", stream)).await;
    let mut client = upgraded.expect("the upgrade").0;
    let first = within(client.next())
        .await
        .expect("a message")
        .expect("no error");
    assert_eq!(first, Frame::text(own));
}

#[tokio::test]
#[ignore = "needs nginx: tests/run"]
async fn the_chat_example_serves_its_page_and_its_sockets_through_a_unix_socket() {
    let files = CertificateFiles::new();
    let trusted = vec![files.renew()];
    let socket = files.certificate().with_file_name("chat.sock");
    let chat = Program::start_on_unix("example-chat", &socket);
    let backend = format!("unix:{}", socket.display());
    let nginx = Nginx::start_as_in_the_guide(&backend, &files, |text| text);
    for (request, expected) in [
        (
            upgrade(
                "/rooms/garden?name=Ada",
                "example.com",
                "Origin: https://example.com\r\n",
            ),
            101,
        ),
        (
            "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n".to_owned(),
            200,
        ),
    ] {
        let stream = within(TcpStream::connect(nginx.address())).await;
        let stream = start_tls(stream.expect("nginx accepts"), &trusted).await;
        let mut stream = stream.expect("a TLS connection");
        within(stream.write_all(request.as_bytes()))
            .await
            .expect("it is sent");
        let answer = first_bytes(&mut stream).await;
        assert_eq!(status(&answer), expected, "{answer}");
    }
    chat.stop("TERM");
    assert!(!socket.exists(), "the socket's file is left behind");
}
