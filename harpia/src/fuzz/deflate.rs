//! Compressed messages.

use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Budget;
use crate::message::Message;
use crate::protocol::deflate::{encode, inflate};
use crate::protocol::{DecodeLimits, Event, Violation};

use super::decoder::decode;

/// What [`deflate`] has read.
#[derive(Debug)]
pub struct Inflated<'a> {
    /// The payload as it was sent.
    pub sent: &'a [u8],
    /// The longest message that is allowed, in bytes.
    pub max_message: usize,
    /// The decompressed payload.
    pub message: Result<Bytes, &'static str>,
    /// The payload of the frame that `sent` itself is compressed to.
    pub compressed: Option<Bytes>,
}

/// Decompresses a payload, and compresses it. The first byte chooses `max_message`.
///
/// - A message has at most `max_message` bytes.
/// - A payload decompresses to the same message in the frames of a client.
/// - A compressed message is shorter than the message, and decompresses to it.
/// - Damaged data does not affect the next message.
pub fn deflate(input: &[u8]) -> Inflated<'_> {
    let (&choice, sent) = input.split_first().unwrap_or((&0, &[]));
    let max_message = [100_000, 1000, 125, 10][usize::from(choice) % 4];
    let check_hello = || {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&hello, 100_000), Ok(Bytes::from("Hello")));
    };
    // Also gives the thread's buffer more room than `max_message` may need.
    check_hello();
    let message = inflate(sent, max_message);
    if let Ok(message) = &message {
        assert!(message.len() <= max_message);
    }
    check_hello();

    let limits = DecodeLimits {
        max_message,
        deflate: true,
        budget: &Arc::new(Budget::new(usize::MAX)),
    };
    let fragments = sent.split_at(sent.len() / 2);
    for frames in [
        frame(0xc2, sent),
        [frame(0x42, fragments.0), frame(0x80, fragments.1)].concat(),
    ] {
        let (_, decoded) = decode([&frames[..]].into_iter(), &limits, usize::MAX);
        let expected = match &message {
            // The frames announce more than any message of the allowed size needs.
            Ok(_) if decoded.violation == Some(Violation::TooBig) => {
                assert!(sent.len() > max_message);
                continue;
            }
            Err(_) if decoded.violation == Some(Violation::TooBig) => continue,
            Ok(message) => (vec![Event::Message(message.clone().into())], None),
            Err(violation) => (Vec::new(), Some(*violation)),
        };
        assert_eq!((decoded.events, decoded.violation), expected);
        assert!(decoded.violation.is_some() || decoded.cost >= sent.len());
    }

    let original = Message::from(sent);
    let compressed = encode(&original).map(|frame| {
        let head = match frame[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        assert!(frame.len() - head < original.len());
        let payload = frame.slice(head..);
        assert_eq!(inflate(&payload, sent.len()), Ok(original.into_bytes()));
        payload
    });
    Inflated {
        sent,
        max_message,
        message: message.map_err(Violation::rule),
        compressed,
    }
}

/// Makes a frame with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
