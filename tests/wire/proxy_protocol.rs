//! The PROXY protocol: the client's address from a proxy that does not read requests.

use std::net::SocketAddr;
use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{Log, RawClient, TestServer, handshake, status, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Named;

#[ws_route("/named", broadcast = off)]
impl Named {
    fn open(&self, ws: &mut Socket<RemoteAddr>) {
        ws.send(ws.data.to_string());
    }
}

fn behind(proxies: &str) -> App {
    let app = App::new().ws(Named).proxy_protocol(true);
    app.trusted_proxies([proxies])
}

const TCP4: &[u8] = b"PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n";

/// Builds a header of version 2, with a command, a family and its fields.
fn version_2(command: u8, family: u8, fields: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, family]);
    header.extend(u16::try_from(fields.len()).expect("short").to_be_bytes());
    header.extend(fields);
    header
}

/// The fields of a client 203.0.113.7:56324.
const FIELDS: [u8; 12] = [203, 0, 113, 7, 192, 0, 2, 1, 220, 4, 1, 187];

/// Connects through a proxy that sends a header, and returns the address that the route has seen.
async fn seen(server: &TestServer, header: &[u8]) -> String {
    let request = [header, handshake("/named", "").as_bytes()].concat();
    let mut client = RawClient::upgrade(server.address(), &request).await;
    let frame = client.read_frame().await.expect("a frame");
    String::from_utf8(frame.payload).expect("text")
}

#[tokio::test]
async fn both_versions_of_the_header_name_the_client() {
    let server = TestServer::start(behind("127.0.0.1")).await;
    let tcp6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n";
    let mut fields_6 = Vec::new();
    for address in ["2001:db8::7", "2001:db8::1"] {
        fields_6.extend(
            address
                .parse::<std::net::Ipv6Addr>()
                .expect("an address")
                .octets(),
        );
    }
    fields_6.extend(&FIELDS[8..]);
    for (header, expected) in [
        (TCP4.to_vec(), "203.0.113.7:56324"),
        (tcp6.to_vec(), "[2001:db8::7]:56324"),
        (version_2(1, 0x11, &FIELDS), "203.0.113.7:56324"),
        (version_2(1, 0x21, &fields_6), "[2001:db8::7]:56324"),
        // Fields that harpia does not know follow the addresses.
        (
            version_2(1, 0x11, &[&FIELDS[..], &[0xEA, 0, 2, 1, 2]].concat()),
            "203.0.113.7:56324",
        ),
    ] {
        assert_eq!(seen(&server, &header).await, expected, "{header:?}");
    }
}

#[tokio::test]
async fn a_header_without_a_client_leaves_the_address_of_the_proxy() {
    let server = TestServer::start(behind("127.0.0.1")).await;
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), version_2(0, 0, &[])] {
        assert!(seen(&server, &header).await.starts_with("127.0.0.1:"));
    }
}

#[tokio::test]
async fn a_header_that_arrives_byte_by_byte_is_read() {
    let server = TestServer::start(behind("127.0.0.1")).await;
    for header in [TCP4.to_vec(), version_2(1, 0x11, &FIELDS)] {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("it connects");
        stream.set_nodelay(true).expect("an option");
        for byte in header {
            stream.write_all(&[byte]).await.expect("it is written");
            tokio::task::yield_now().await;
        }
        let request = handshake("/named", "");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is written");
        let mut answer = [0; 12];
        within(stream.read_exact(&mut answer))
            .await
            .expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 101");
    }
}

#[tokio::test]
async fn a_client_that_is_not_a_trusted_proxy_cannot_name_an_address() {
    let server = TestServer::start(behind("10.0.0.0/8")).await;
    let request = [TCP4, handshake("/named", "").as_bytes()].concat();
    let answer = server
        .request(std::str::from_utf8(&request).expect("text"))
        .await;
    assert_eq!(status(&answer), 400, "{answer}");
    assert!(seen(&server, b"").await.starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn a_trusted_proxy_without_a_valid_header_is_closed_and_logged() {
    let log = Log::begin();
    let server = TestServer::start(behind("127.0.0.1")).await;
    let too_long = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 200]].concat();
    for bytes in [
        handshake("/named", "").into_bytes(),
        b"PROXY TCP4 203.0.113.300 192.0.2.1 56324 443\r\n".to_vec(),
        version_2(1, 0x11, &FIELDS[..4]),
        version_2(1, 0x11, &[0; 4097]),
        too_long,
    ] {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("it connects");
        stream.write_all(&bytes).await.expect("it is written");
        let mut answer = Vec::new();
        // The end may be a reset, since the server has not read everything.
        let _ = within(stream.read_to_end(&mut answer)).await;
        assert!(answer.is_empty(), "{answer:?}");
    }
    assert_eq!(
        log.text()
            .matches("connection of a trusted proxy refused")
            .count(),
        5
    );
}

#[tokio::test]
async fn a_health_check_that_sends_nothing_is_not_logged() {
    let log = Log::begin();
    let server = TestServer::start(behind("127.0.0.1")).await;
    for bytes in [&b""[..], b"PROXY TCP4 203"] {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("it connects");
        stream.write_all(bytes).await.expect("it is written");
        stream.shutdown().await.expect("it ends");
        let ended = within(stream.read(&mut [0; 1])).await;
        assert_eq!(ended.expect("a clean end"), 0);
    }
    assert_eq!(log.text().matches("trusted proxy").count(), 0);
}

#[tokio::test]
async fn a_proxy_that_sends_no_header_is_closed_after_the_handshake_timeout() {
    let app = behind("127.0.0.1").handshake_timeout(Duration::from_millis(200));
    let server = TestServer::start(app).await;
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("it connects");
    let ended = within(stream.read(&mut [0; 1])).await;
    assert_eq!(ended.expect("a clean end"), 0);
}

#[tokio::test]
async fn a_page_without_tls_is_refused_if_the_header_says_that_the_request_came_over_tls() {
    let server = TestServer::start(behind("127.0.0.1")).await;
    // The field PP2_TYPE_SSL, whose first bit says that the client has used TLS.
    let ssl = [&FIELDS[..], &[0x20, 0, 5, 0x01, 0, 0, 0, 0]].concat();
    let plain = [&FIELDS[..], &[0x20, 0, 5, 0x00, 0, 0, 0, 0]].concat();
    for (fields, origin, expected) in [
        (&ssl, "http", 403),
        (&ssl, "https", 101),
        (&plain, "http", 101),
    ] {
        let request = handshake("/named", &format!("Origin: {origin}://localhost\r\n"));
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("it connects");
        let bytes = [version_2(1, 0x11, fields), request.into_bytes()].concat();
        stream.write_all(&bytes).await.expect("it is written");
        let mut answer = [0; 12];
        within(stream.read_exact(&mut answer))
            .await
            .expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert_eq!(
            answer,
            format!("HTTP/1.1 {expected}"),
            "{origin} {fields:?}"
        );
    }
}

#[tokio::test]
async fn the_protocol_without_trusted_proxies_is_an_error() {
    let bound = App::new()
        .ws(Named)
        .proxy_protocol(true)
        .bind("127.0.0.1:0")
        .await;
    let error = bound
        .map(|_| ())
        .expect_err("nobody could send a header")
        .to_string();
    assert!(error.contains("`trusted_proxies`"), "{error}");
}

#[tokio::test]
async fn a_forwarded_header_counts_only_if_the_client_in_the_header_is_a_trusted_proxy() {
    let app = App::new().ws(Named).proxy_protocol(true);
    let server = TestServer::start(app.trusted_proxies(["127.0.0.1", "203.0.113.7"])).await;
    let line = "X-Forwarded-For: 198.51.100.9\r\n";
    for (client, expected) in [
        ("203.0.113.7", "198.51.100.9:0"),
        ("203.0.113.8", "203.0.113.8:56324"),
    ] {
        let header = format!("PROXY TCP4 {client} 192.0.2.1 56324 443\r\n");
        let request = header + &handshake("/named", line);
        let address: SocketAddr = server.address();
        let mut client = RawClient::upgrade(address, request.as_bytes()).await;
        assert_eq!(
            client.read_frame().await.expect("a frame").payload,
            expected.as_bytes()
        );
    }
}
