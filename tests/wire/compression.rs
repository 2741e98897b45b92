//! Compression with permessage-deflate (RFC 7692): negotiation, compressed messages, and errors.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use harpia::prelude::*;
use harpia_tests::{Frame, RawClient, TestServer};

const OFFER: &str = "permessage-deflate; client_max_window_bits";

/// The end of a sync flush, which is omitted on the wire (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

struct Chat;

#[ws_route("/chat", compression = "64B", rate = off)]
impl Chat {
    fn message(&self) {}
}

struct Echo;

#[ws_route("/echo", compression = on, broadcast = off)]
impl Echo {
    fn message(&self, ws: &mut Socket, message: Message) {
        ws.send(message);
    }
}

struct Plain;

#[ws_route("/plain")]
impl Plain {
    fn message(&self) {}
}

async fn server() -> TestServer {
    TestServer::start(App::new().ws(Chat).ws(Echo).ws(Plain)).await
}

async fn offering(server: &TestServer, path: &str, offer: &str) -> RawClient {
    RawClient::connect_offering(server.address(), path, offer).await
}

pub(crate) fn deflate(message: &[u8]) -> Vec<u8> {
    let mut stream = Compress::new(Compression::default(), false);
    let mut output = Vec::with_capacity(message.len() + 1024);
    let done = stream.compress_vec(message, &mut output, FlushCompress::Sync);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(stream.total_in(), message.len() as u64);
    output
        .strip_suffix(&TAIL)
        .expect("the end of a sync flush")
        .to_vec()
}

fn inflate(frame: &Frame) -> String {
    let input = [&frame.payload[..], &TAIL].concat();
    let mut output = Vec::with_capacity(1 << 20);
    let mut stream = Decompress::new(false);
    let done = stream.decompress_vec(&input, &mut output, FlushDecompress::Sync);
    assert!(done.is_ok(), "{done:?}");
    String::from_utf8(output).expect("the message is text")
}

/// Makes a compressible text that is above the threshold of every route here.
fn long(text: &str) -> String {
    text.repeat(2000 / text.len())
}

#[tokio::test]
async fn compression_is_negotiated_only_if_the_route_enables_it_and_the_client_offers_it() {
    let server = server().await;
    let negotiated = offering(&server, "/chat", OFFER).await;
    assert_eq!(
        negotiated.header("sec-websocket-extensions"),
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
    let not_offered = server.connect_raw("/chat").await;
    assert_eq!(not_offered.header("sec-websocket-extensions"), None);
    let unknown = offering(&server, "/chat", "x-webkit-deflate-frame").await;
    assert_eq!(unknown.header("sec-websocket-extensions"), None);
    let not_enabled = offering(&server, "/plain", OFFER).await;
    assert_eq!(not_enabled.header("sec-websocket-extensions"), None);
}

#[tokio::test]
async fn the_apps_compression_applies_unless_the_route_sets_its_own() {
    struct Off;
    #[ws_route("/off", compression = off)]
    impl Off {
        fn message(&self) {}
    }
    let app = App::new().compression(64).ws(Plain).ws(Off);
    let server = TestServer::start(app).await;
    let by_app = offering(&server, "/plain", OFFER).await;
    assert!(by_app.header("sec-websocket-extensions").is_some());
    let off = offering(&server, "/off", OFFER).await;
    assert_eq!(off.header("sec-websocket-extensions"), None);
}

#[tokio::test]
async fn compressed_fragmented_and_plain_messages_are_all_read() {
    let server = server().await;
    let mut client = offering(&server, "/echo", OFFER).await;
    let text = long("compress me, ");
    let compressed = deflate(text.as_bytes());
    client.frame(0xc1, &compressed).await;
    let answer = client.read_frame().await.unwrap();
    assert_eq!((answer.head, inflate(&answer)), (0xc1, text.clone()));
    // Only the first fragment has the compression bit (RFC 7692 section 6.1).
    let (first, second) = compressed.split_at(compressed.len() / 2);
    client.frame(0x41, first).await;
    client.frame(0x89, b"between").await;
    client.frame(0x80, second).await;
    assert_eq!(client.read_frame().await.unwrap().text(), "between");
    assert_eq!(inflate(&client.read_frame().await.unwrap()), text);
    client.frame(0xc1, &deflate(b"short")).await;
    let answer = client.read_frame().await.unwrap();
    assert_eq!((answer.head, answer.text()), (0x81, "short".into()));
    client.frame(0x81, b"plain").await;
    assert_eq!(client.read_frame().await.unwrap().text(), "plain");
}

#[tokio::test]
async fn a_broadcast_is_compressed_only_for_clients_that_negotiated_it() {
    let server = server().await;
    let mut compressing = offering(&server, "/chat", OFFER).await.active().await;
    let mut plain = server.connect_raw("/chat").await.active().await;
    let mut elsewhere = server.connect_raw("/plain").await.active().await;
    let mut sender = server.join("/chat").await;
    let text = long("to everyone, ");
    sender.send(&text).await;
    let frame = compressing.read_frame().await.unwrap();
    assert!(frame.payload.len() < text.len() / 4);
    assert_eq!((frame.head, inflate(&frame)), (0xc1, text.clone()));
    for client in [&mut plain, &mut elsewhere] {
        let frame = client.read_frame().await.unwrap();
        assert_eq!((frame.head, frame.text()), (0x81, text.clone()));
    }
    // A message below the route's threshold is sent uncompressed to all.
    sender.send("short").await;
    for client in [&mut compressing, &mut plain, &mut elsewhere] {
        let frame = client.read_frame().await.unwrap();
        assert_eq!((frame.head, frame.text()), (0x81, "short".into()));
    }
}

#[tokio::test]
async fn the_smallest_threshold_of_any_route_applies_to_all_sends_and_broadcasts() {
    let server = server().await;
    let mut echo = offering(&server, "/echo", OFFER).await.active().await;
    // Below the threshold of `/echo` (1 KiB), above that of `/chat` (64 bytes).
    let text = "between, ".repeat(30);
    echo.frame(0x81, text.as_bytes()).await;
    let sent = echo.read_frame().await.unwrap();
    assert_eq!((sent.head, inflate(&sent)), (0xc1, text.clone()));
    server.hub().broadcast(&text);
    let broadcast = echo.read_frame().await.unwrap();
    assert_eq!((broadcast.head, inflate(&broadcast)), (0xc1, text));
}

#[tokio::test]
async fn the_apps_threshold_has_no_effect_if_every_route_sets_its_own() {
    let server = TestServer::start(App::new().compression(64).ws(Echo)).await;
    let mut echo = offering(&server, "/echo", OFFER).await.active().await;
    let text = "between, ".repeat(30);
    echo.frame(0x81, text.as_bytes()).await;
    assert_eq!(echo.read_frame().await.unwrap().head, 0x81);
    server.hub().broadcast(&text);
    assert_eq!(echo.read_frame().await.unwrap().head, 0x81);
}

#[tokio::test]
async fn a_compressed_message_is_broadcast_with_its_decompressed_content() {
    let server = server().await;
    let mut sender = offering(&server, "/chat", OFFER).await.active().await;
    let mut compressing = offering(&server, "/chat", OFFER).await.active().await;
    let mut plain = server.connect_raw("/chat").await.active().await;
    let text = long("from one of them, ");
    sender.frame(0xc1, &deflate(text.as_bytes())).await;
    assert_eq!(inflate(&compressing.read_frame().await.unwrap()), text);
    assert_eq!(plain.read_frame().await.unwrap().text(), text);
}

#[tokio::test]
async fn compressed_and_plain_messages_of_one_flush_round_arrive_in_order() {
    let server = server().await;
    let mut compressing = offering(&server, "/chat", OFFER).await.active().await;
    let mut plain = server.connect_raw("/chat").await.active().await;
    let texts: Vec<String> = (0..100)
        .map(|number| match number % 3 {
            0 => number.to_string(),
            _ => long(&format!("{number}, ")),
        })
        .collect();
    for text in &texts {
        server.hub().broadcast(text.as_str());
    }
    for text in &texts {
        let frame = compressing.read_frame().await.unwrap();
        let read = match frame.head {
            0xc1 => inflate(&frame),
            _ => frame.text(),
        };
        assert_eq!(read, *text);
        assert_eq!(plain.read_frame().await.unwrap().text(), *text);
    }
}

#[tokio::test]
async fn a_decompression_bomb_closes_with_1009() {
    let server = server().await;
    let mut client = offering(&server, "/echo", OFFER).await;
    let bomb = deflate(&vec![0; 10 << 20]);
    assert!(
        bomb.len() < 20_000,
        "the compressed size is below the limit"
    );
    client.frame(0xc2, &bomb).await;
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test]
async fn an_invalid_deflate_stream_or_invalid_text_closes_with_1007() {
    let server = server().await;
    for payload in [vec![0xff; 20], deflate(b"gr\xc3")] {
        let mut client = offering(&server, "/echo", OFFER).await;
        client.frame(0xc1, &payload).await;
        assert_eq!(client.close_code().await, 1007, "{payload:?}");
    }
}

#[tokio::test]
async fn a_compressed_frame_without_negotiation_closes_with_1002() {
    let server = server().await;
    let hello = deflate(b"hello");
    for mut client in [
        server.connect_raw("/echo").await,
        offering(&server, "/plain", OFFER).await,
    ] {
        client.frame(0xc1, &hello).await;
        assert_eq!(client.close_code().await, 1002);
    }
}

#[tokio::test]
async fn the_compression_bit_on_a_control_frame_or_later_fragment_closes_with_1002() {
    let server = server().await;
    let mut client = offering(&server, "/echo", OFFER).await;
    client.frame(0xc9, b"").await;
    assert_eq!(client.close_code().await, 1002);
    let mut client = offering(&server, "/echo", OFFER).await;
    client.frame(0x41, &deflate(b"hello")).await;
    client.frame(0xc0, b"").await;
    assert_eq!(client.close_code().await, 1002);
}

#[tokio::test]
async fn a_client_with_a_small_window_receives_broadcasts_uncompressed() {
    let server = server().await;
    let offer = "permessage-deflate; server_max_window_bits=9";
    let mut small = offering(&server, "/chat", offer).await;
    let answer = small.header("sec-websocket-extensions");
    assert!(answer.is_some_and(|answer| answer.contains("server_max_window_bits=9")));
    small = small.active().await;
    let mut full = offering(&server, "/chat", OFFER).await.active().await;
    let text = long("wider than its window, ");
    server.hub().broadcast(text.as_str());
    let frame = small.read_frame().await.unwrap();
    assert_eq!((frame.head, frame.text()), (0x81, text.clone()));
    assert_eq!(inflate(&full.read_frame().await.unwrap()), text);
    // The client itself may still send compressed messages.
    small.frame(0xc1, &deflate(text.as_bytes())).await;
    assert_eq!(inflate(&full.read_frame().await.unwrap()), text);
}
