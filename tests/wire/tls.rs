//! TLS without a proxy: messages, certificates that change under load, and clients that fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use harpia::prelude::*;
use harpia::{Error, Tls};
use harpia_tests::{
    CertificateFiles, Log, RawClient, handshake, self_signed, start_tls, status, within,
};
use rcgen::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{WebSocketStream, client_async};

struct Chat;

#[ws_route("/chat", backlog = "64MiB")]
impl Chat {
    fn open(&self, ws: &mut Socket<RemoteAddr>) {
        ws.subscribe("all");
        ws.send(format!("from {}", ws.data));
    }
}

struct Running {
    address: SocketAddr,
    hub: Hub,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.hub.shutdown();
    }
}

async fn start(app: App) -> Running {
    let server = app.ws(Chat).bind("127.0.0.1:0").await.expect("it binds");
    let address = server.local_addr().tcp().expect("a TCP address");
    let hub = server.handle();
    tokio::spawn(server.serve());
    Running { address, hub }
}

/// Connects a client that trusts these certificates.
async fn connect(
    address: SocketAddr,
    trusted: &[CertificateDer<'static>],
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = within(TcpStream::connect(address)).await?;
    start_tls(stream, trusted).await
}

type Ws = WebSocketStream<TlsStream<TcpStream>>;

async fn join(address: SocketAddr, trusted: &[CertificateDer<'static>]) -> Ws {
    let stream = connect(address, trusted).await.expect("a TLS connection");
    let upgraded = within(client_async("wss://localhost/chat", stream)).await;
    let mut client = upgraded.expect("the server upgrades").0;
    assert!(text(&mut client).await.starts_with("from 127.0.0.1:"));
    client
}

async fn text(client: &mut Ws) -> String {
    match within(client.next()).await {
        Some(Ok(Frame::Text(text))) => text.to_string(),
        other => panic!("no text: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_exchange_messages_over_tls_and_close_cleanly() {
    let files = CertificateFiles::new();
    let trusted = [files.renew()];
    let running = start(App::new().tls(files.tls())).await;
    let mut one = join(running.address, &trusted).await;
    let mut two = join(running.address, &trusted).await;
    assert_eq!(
        two.get_ref().get_ref().1.alpn_protocol(),
        Some(&b"http/1.1"[..])
    );
    for size in [0, 1, 126, 60_000] {
        let sent = "x".repeat(size);
        within(one.send(Frame::text(sent.clone())))
            .await
            .expect("it is sent");
        assert_eq!(text(&mut two).await, sent);
    }
    for number in 0..200 {
        running
            .hub
            .publish("all", format!("{number} {}", "y".repeat(50_000)));
    }
    for number in 0..200 {
        let start = format!("{number} ");
        assert!(text(&mut one).await.starts_with(&start));
        assert!(text(&mut two).await.starts_with(&start));
    }
    running.hub.shutdown();
    for client in [&mut one, &mut two] {
        match within(client.next()).await {
            Some(Ok(Frame::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1001),
            other => panic!("no close frame: {other:?}"),
        }
        // The answer goes out with the next read, which finds the end of the stream.
        assert!(!matches!(within(client.next()).await, Some(Ok(_))));
    }
}

#[tokio::test]
async fn the_header_of_a_proxy_comes_before_the_tls_handshake() {
    let files = CertificateFiles::new();
    let trusted = [files.renew()];
    let app = App::new().tls(files.tls()).proxy_protocol(true);
    let running = start(app.trusted_proxies(["127.0.0.1"])).await;
    let mut stream = TcpStream::connect(running.address)
        .await
        .expect("it connects");
    let header = b"PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n";
    stream.write_all(header).await.expect("it is written");
    let stream = start_tls(stream, &trusted).await.expect("a TLS connection");
    let upgraded = within(client_async("wss://localhost/chat", stream)).await;
    let mut client = upgraded.expect("the server upgrades").0;
    assert_eq!(text(&mut client).await, "from 203.0.113.7:56324");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_used_under_load_and_no_connection_is_dropped() {
    let files = CertificateFiles::new();
    let first = files.renew();
    let running = start(App::new().tls(files.tls())).await;
    let mut old = Vec::new();
    for _ in 0..20 {
        old.push(join(running.address, slice::from_ref(&first)).await);
    }
    let second = files.renew();
    let both = [first, second.clone()];
    // Clients go on to connect while the certificate changes. Each finds one of the two.
    let is_second = async || {
        let client = join(running.address, &both).await;
        let certificates = client.get_ref().get_ref().1.peer_certificates();
        certificates.is_some_and(|chain| chain[0] == second)
    };
    while !within(is_second()).await {}
    running.hub.publish("all", "still here");
    for client in &mut old {
        assert_eq!(text(client).await, "still here");
    }
}

#[tokio::test]
async fn files_that_do_not_fit_together_leave_the_former_certificate_in_use() {
    let log = Log::begin();
    let files = CertificateFiles::new();
    let first = files.renew();
    let running = start(App::new().tls(files.tls())).await;
    std::fs::write(files.certificate(), self_signed().cert.pem()).expect("it is written");
    let trusted = [first];
    while !log.text().contains("former certificate stays in use") {
        join(running.address, &trusted).await;
    }
    join(running.address, &trusted).await;
}

#[tokio::test]
async fn invalid_files_are_named_in_the_error() {
    let files = CertificateFiles::new();
    files.renew();
    let error = |certificate: PathBuf, key: PathBuf| match Tls::files(certificate, key) {
        Err(error @ Error::Config { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let missing = error(files.key().with_file_name("none.pem"), files.key());
    assert!(missing.contains("none.pem"), "{missing}");
    let swapped = error(files.key(), files.certificate());
    assert!(
        swapped.contains("privkey.pem`: the file has no certificate"),
        "{swapped}"
    );
    std::fs::write(files.key(), self_signed().signing_key.serialize_pem()).expect("it is written");
    let other = error(files.certificate(), files.key());
    assert!(other.contains("privkey.pem"), "{other}");
}

#[tokio::test]
async fn a_client_that_never_finishes_its_tls_handshake_holds_up_nobody_and_is_dropped() {
    let files = CertificateFiles::new();
    let trusted = [files.renew()];
    let app = App::new().tls(files.tls());
    let running = start(app.handshake_timeout(Duration::from_millis(300))).await;
    let mut silent = RawClient::open(running.address, b"").await;
    let mut plain = RawClient::open(running.address, b"GET /chat HTTP/1.1\r\n\r\n").await;
    join(running.address, &trusted).await;
    // An alert may come first.
    while plain.read_some(100).await > 0 {}
    assert_eq!(silent.read_frame().await, None);
}

#[tokio::test]
async fn only_pages_over_tls_may_connect_to_a_server_with_tls() {
    let files = CertificateFiles::new();
    let trusted = [files.renew()];
    let running = start(App::new().tls(files.tls())).await;
    for (origin, expected) in [("https://localhost", 101), ("http://localhost", 403)] {
        // A client cannot weaken the rule with a header of its own.
        let lines = format!("Origin: {origin}\r\nX-Forwarded-Proto: http\r\n");
        let mut stream = connect(running.address, &trusted)
            .await
            .expect("a TLS connection");
        let request = handshake("/chat", &lines);
        within(stream.write_all(request.as_bytes()))
            .await
            .expect("it is sent");
        let mut answer = [0; 12];
        within(stream.read_exact(&mut answer))
            .await
            .expect("an answer");
        assert_eq!(
            status(&String::from_utf8_lossy(&answer)),
            expected,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn a_configuration_of_the_program_is_used() {
    let CertifiedKey { cert, signing_key } = self_signed();
    let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes());
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("versions");
    let chain = vec![cert.der().clone()];
    let config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key.expect("a key"));
    let tls = Tls::config(Arc::new(config.expect("a configuration")));
    let running = start(App::new().tls(tls)).await;
    join(running.address, &[cert.der().clone()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_but_steady_download_over_tls_outlives_the_idle_timeout() {
    struct Pages;
    #[ws_route("/files", broadcast = off, idle_timeout = "2s", ping = off)]
    impl Pages {
        fn open(&self, ws: &mut Socket) {
            ws.send(vec![7; 900 * 1024]);
        }
    }
    let files = CertificateFiles::new();
    let trusted = [files.renew()];
    let running = start(App::new().ws(Pages).tls(files.tls())).await;
    let mut stream = connect(running.address, &trusted)
        .await
        .expect("a TLS connection");
    let request = handshake("/files", "");
    within(stream.write_all(request.as_bytes()))
        .await
        .expect("it is sent");
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let (mut read, mut piece) = (0, [0; 10 * 1024]);
    while read < 900 * 1024 {
        pace.tick().await;
        let more = within(stream.read(&mut piece))
            .await
            .expect("the connection is alive");
        assert!(more > 0, "it ended after {read} bytes");
        read += more;
    }
}
