//! Encoding of frames. A server sends whole messages in one unmasked frame each.
//!
//! fastwebsockets encodes the heads. The `decoder` reads frames.

use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Payload};

use crate::close::{CloseCode, CloseFrame};
use crate::message::Message;

/// The longest head of an unmasked frame, in bytes (RFC 6455 section 5.2).
const MAX_HEAD: usize = 10;

/// Returns the head of a message's frame, and the length of the head.
pub(crate) fn head(message: &Message) -> ([u8; MAX_HEAD], usize) {
    let opcode = if message.is_text() {
        OpCode::Text
    } else {
        OpCode::Binary
    };
    head_of(opcode, message.as_bytes())
}

fn head_of(opcode: OpCode, payload: &[u8]) -> ([u8; MAX_HEAD], usize) {
    let mut head = [0; MAX_HEAD];
    let len = Frame::new(true, opcode, None, Payload::Borrowed(payload)).fmt_head(&mut head);
    (head, len)
}

/// Encodes a message, with one allocation of the exact size.
pub(crate) fn encode(message: &Message) -> Bytes {
    let (head, head_len) = head(message);
    join(&head[..head_len], message.as_bytes())
}

/// Appends the frame of a message.
pub(crate) fn append(message: &Message, out: &mut Vec<u8>) {
    let (head, head_len) = head(message);
    out.extend_from_slice(&head[..head_len]);
    out.extend_from_slice(message.as_bytes());
}

/// Encodes a close frame.
///
/// Code 1005 becomes an empty frame (RFC 6455 section 5.5.1). Any other code that must not be sent
/// is a mistake of the application. Such a code is replaced by 1011.
pub(crate) fn encode_close(frame: &CloseFrame) -> Bytes {
    if frame.code == CloseCode::NO_STATUS {
        return encode_control(OpCode::Close, &[]);
    }
    let code = if frame.code.is_sendable() {
        frame.code
    } else {
        tracing::error!(
            "close code {} must not be sent, so 1011 is sent",
            frame.code
        );
        CloseCode::INTERNAL
    };
    let mut payload = Vec::with_capacity(2 + frame.reason.len());
    payload.extend_from_slice(&code.as_u16().to_be_bytes());
    payload.extend_from_slice(frame.reason.as_bytes());
    encode_control(OpCode::Close, &payload)
}

/// Encodes a ping without a payload.
pub(crate) fn encode_ping() -> Bytes {
    encode_control(OpCode::Ping, &[])
}

/// Encodes a pong with the payload of the ping (RFC 6455 section 5.5.3).
pub(crate) fn encode_pong(payload: &[u8]) -> Bytes {
    encode_control(OpCode::Pong, payload)
}

/// Encodes the frame of a compressed message, with reserved bit 1 set (RFC 7692 section 6).
pub(super) fn encode_compressed(is_text: bool, payload: &[u8]) -> Bytes {
    let opcode = if is_text {
        OpCode::Text
    } else {
        OpCode::Binary
    };
    let (mut head, head_len) = head_of(opcode, payload);
    head[0] |= RSV1;
    join(&head[..head_len], payload)
}

const RSV1: u8 = 0x40;

fn encode_control(opcode: OpCode, payload: &[u8]) -> Bytes {
    let (head, head_len) = head_of(opcode, payload);
    join(&head[..head_len], payload)
}

fn join(head: &[u8], payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(head.len() + payload.len());
    frame.extend_from_slice(head);
    frame.extend_from_slice(payload);
    frame.into()
}

/// Returns whether a frame is a ping, a pong or a close frame (RFC 6455 section 5.5).
pub(crate) fn is_control(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 0x08 != 0)
}

/// Returns the first end of a frame at or after `written`, in a batch of whole frames.
pub(crate) fn boundary_from(batch: &[u8], written: usize) -> usize {
    let mut boundary = 0;
    while boundary < written {
        boundary += frame_len(&batch[boundary..]);
    }
    boundary.min(batch.len())
}

/// Counts the frames in a batch.
pub(crate) fn count(batch: &[u8]) -> usize {
    let (mut frames, mut at) = (0, 0);
    while at < batch.len() {
        at = at.saturating_add(frame_len(&batch[at..]));
        frames += 1;
    }
    frames
}

fn frame_len(frame: &[u8]) -> usize {
    match *frame {
        [_, 126, a, b, ..] => 4 + usize::from(u16::from_be_bytes([a, b])),
        [_, 127, a, b, c, d, e, f, g, h, ..] => {
            let payload = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            usize::try_from(payload).map_or(usize::MAX, |payload| payload.saturating_add(10))
        }
        [_, payload, ..] => 2 + usize::from(payload),
        // No frame is this short. The callers stop at the end of the batch.
        _ => frame.len().max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_as_few_bytes_as_possible() {
        for (payload, head) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = encode(&vec![7; payload].into());
            assert_eq!(frame.len(), head + payload, "{payload}");
            assert_eq!(frame_len(&frame), frame.len(), "{payload}");
        }
    }

    #[test]
    fn a_close_without_a_code_is_empty_and_an_unsendable_code_becomes_1011() {
        let empty = encode_close(&CloseFrame::bare(CloseCode::NO_STATUS));
        assert_eq!(&empty[..], [0x88, 0]);
        let wrong = encode_close(&CloseFrame::bare(CloseCode::from(42)));
        assert_eq!(&wrong[..], [0x88, 2, 0x03, 0xf3]);
    }

    #[test]
    fn a_boundary_is_the_end_of_a_partly_written_frame() {
        let mut batch = Vec::new();
        for payload in [1, 200, 70_000, 0] {
            append(&vec![0; payload].into(), &mut batch);
        }
        let ends = [0, 3, 207, 70_217, 70_219];
        assert_eq!((count(&batch), count(&[])), (4, 0));
        for written in [0, 1, 3, 4, 206, 207, 208, 70_216, 70_217, 70_218, 70_219] {
            let expected = ends.into_iter().find(|&end| end >= written);
            assert_eq!(Some(boundary_from(&batch, written)), expected, "{written}");
        }
    }
}
