//! Violations of RFC 6455: each closes the connection with its code, and disturbs no other
//! connection.

use harpia::prelude::*;
use harpia_tests::{Events, TestServer};

struct Strict(Events);

#[ws_route("/strict", broadcast = off, max_message = "1KiB")]
impl Strict {
    fn message(&self, message: Bytes) {
        self.0.note(format_args!("message of {}", message.len()));
    }

    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(format_args!("error {error}"));
    }
}

/// Sends these bytes on a new connection; returns the close code and the call of `error`.
async fn answer_to(bytes: &[u8]) -> (u16, String) {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Strict(events.clone()))).await;
    let mut client = server.connect_raw("/strict").await;
    client.write(bytes).await;
    let code = client.close_code().await;
    let error = events.next().await;
    assert_eq!(events.next().await, format!("close {code}"));
    (code, error)
}

/// Makes a frame with a mask of zeros, so that the payload is sent as it is.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![head, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

#[tokio::test]
async fn an_unmasked_frame_closes_with_1002() {
    let (code, error) = answer_to(&[0x81, 0x02, b'h', b'i']).await;
    assert_eq!(code, 1002);
    assert!(error.contains("Masked"), "{error}");
}

#[tokio::test]
async fn reserved_bits_and_opcodes_close_with_1002() {
    for head in [0xc1, 0xa1, 0x91, 0x83, 0x87, 0x8b, 0x8f] {
        assert_eq!(answer_to(&frame(head, b"hi")).await.0, 1002, "{head:#x}");
    }
}

#[tokio::test]
async fn a_long_or_fragmented_control_frame_closes_with_1002() {
    assert_eq!(answer_to(&[0x89, 0xfe, 0x00, 0x7e]).await.0, 1002);
    assert_eq!(answer_to(&[0x88, 0xfe, 0x13, 0x8a]).await.0, 1002);
    assert_eq!(answer_to(&frame(0x09, b"")).await.0, 1002);
}

#[tokio::test]
async fn a_message_inside_another_or_a_stray_continuation_closes_with_1002() {
    let nested = [frame(0x01, b"one"), frame(0x01, b"two")].concat();
    assert_eq!(answer_to(&nested).await.0, 1002);
    assert_eq!(answer_to(&frame(0x80, b"more")).await.0, 1002);
    assert_eq!(answer_to(&frame(0x00, b"more")).await.0, 1002);
}

#[tokio::test]
async fn a_length_with_the_high_bit_set_closes_with_1002() {
    let (code, _) = answer_to(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1]).await;
    assert_eq!(code, 1002);
}

#[tokio::test]
async fn a_length_in_more_bytes_than_needed_closes_with_1002() {
    assert_eq!(answer_to(&[0x82, 0xfe, 0x00, 0x7d]).await.0, 1002);
    assert_eq!(
        answer_to(&[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
            .await
            .0,
        1002
    );
}

#[tokio::test]
async fn text_that_is_not_utf8_or_ends_inside_a_character_closes_with_1007() {
    assert_eq!(answer_to(&frame(0x81, b"a\xffb")).await.0, 1007);
    assert_eq!(answer_to(&frame(0x81, b"gr\xc3")).await.0, 1007);
    let surrogate = frame(0x81, b"\xed\xa0\x80");
    assert_eq!(answer_to(&surrogate).await.0, 1007);
}

#[tokio::test]
async fn invalid_utf8_closes_with_1007_before_the_frame_is_complete() {
    // The header announces 100 bytes. The second is invalid, and the rest is never sent.
    let (code, _) = answer_to(&[0x81, 0x80 | 100, 0, 0, 0, 0, b'a', 0xff]).await;
    assert_eq!(code, 1007);
}

#[tokio::test]
async fn an_oversized_message_closes_with_1009_once_its_length_is_announced() {
    let (code, _) = answer_to(&[0x82, 0xfe, 0x04, 0x01, 0, 0, 0, 0]).await;
    assert_eq!(code, 1009);
    // 2^62 bytes, which must not be allocated.
    let (code, _) = answer_to(&[0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await;
    assert_eq!(code, 1009);
}

#[tokio::test]
async fn all_fragments_of_a_message_count_toward_its_size() {
    let mut bytes = frame(0x02, &[7; 100]);
    for _ in 0..10 {
        bytes.extend(frame(0x00, &[7; 100]));
    }
    assert_eq!(answer_to(&bytes).await.0, 1009);
}

#[tokio::test]
async fn a_malformed_close_frame_closes_with_1002_or_1007() {
    assert_eq!(answer_to(&frame(0x88, b"\x03")).await.0, 1002);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        let close = frame(0x88, &code.to_be_bytes());
        assert_eq!(answer_to(&close).await.0, 1002, "{code}");
    }
    assert_eq!(answer_to(&frame(0x88, b"\x03\xe8\xff")).await.0, 1007);
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_accepted() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Strict(events.clone()))).await;
    let mut client = server.connect_raw("/strict").await;
    client.frame(0x82, &[0; 1024]).await;
    assert_eq!(events.next().await, "message of 1024");
}

#[tokio::test]
async fn a_frame_that_arrives_byte_by_byte_is_read() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Strict(events.clone()))).await;
    let mut client = server.connect_raw("/strict").await;
    for byte in frame(0x81, "grün".as_bytes()) {
        client.write(&[byte]).await;
    }
    assert_eq!(events.next().await, "message of 5");
}

#[tokio::test]
async fn a_protocol_violation_does_not_disturb_other_connections() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Strict(events.clone()))).await;
    let mut good = server.connect("/strict").await;
    let mut bad = server.connect_raw("/strict").await;
    bad.write(&[0xff; 64]).await;
    assert_eq!(bad.close_code().await, 1002);
    assert!(events.next().await.starts_with("error"));
    assert_eq!(events.next().await, "close 1002");
    good.send("hello").await;
    assert_eq!(events.next().await, "message of 5");
}
