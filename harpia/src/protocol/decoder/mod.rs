//! The decoder: bytes in, messages out. No I/O.
//!
//! Input may end at any byte. Payloads are unmasked in place, and a whole message is copied once.
//! Unfinished input is kept in a boxed [`Partial`], so that a decoder between two messages is a
//! null pointer.
//!
//! A violation is found as soon as its bytes have arrived. Sizes are checked before memory is
//! allocated for them.

mod age;
mod head;
mod partial;
mod skip;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use fastwebsockets::{OpCode, unmask};

use crate::budget::Budget;
use crate::close::{CloseCode, CloseFrame};
use crate::message::Message;

use super::{Violation, deflate};
pub(crate) use age::Age;
use head::Head;
use partial::Partial;
pub(crate) use skip::{Skip, Skipped};

/// Reads one peer's frames.
#[derive(Debug)]
pub(crate) struct Decoder {
    partial: Option<Box<Partial>>,
}

/// The limits on a peer's input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecodeLimits<'a> {
    /// The longest message, in bytes of decompressed payload.
    pub(crate) max_message: usize,
    /// Whether the handshake allowed compressed messages.
    pub(crate) deflate: bool,
    /// The budget for the unfinished messages of all peers.
    pub(crate) budget: &'a Arc<Budget>,
}

impl DecodeLimits<'_> {
    /// Returns the largest payload that the frames of one message may announce, in bytes.
    fn max_payload(&self, compressed: bool) -> u64 {
        let max = if compressed {
            deflate::max_compressed(self.max_message)
        } else {
            self.max_message
        };
        max as u64
    }
}

/// A whole message or control frame from a peer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Event {
    Message(Message),
    Ping(Bytes),
    Pong,
    /// The code is `NO_STATUS` if the frame has none.
    Close(CloseFrame),
}

/// What one call of [`Decoder::decode`] has taken from its input.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// The number of bytes.
    pub(crate) taken: usize,
    /// The event that the bytes complete.
    pub(crate) event: Option<Event>,
    /// What the completed frames cost, in bytes: the payload of a message before or after
    /// decompression, whichever is longer, and at least [`MIN_FRAME_COST`] for a control frame or a
    /// fragment.
    pub(crate) cost: usize,
}

/// The least that a control frame or a fragment costs, in bytes.
///
/// 256: to handle a frame takes about as long as to copy so many bytes.
const MIN_FRAME_COST: usize = 256;

impl Decoder {
    pub(crate) const fn new() -> Self {
        Self { partial: None }
    }

    /// Takes bytes from the front of `input`, up to the end of an event.
    ///
    /// If they complete no event, all of `input` is taken.
    pub(crate) fn decode(
        &mut self,
        input: &mut [u8],
        limits: &DecodeLimits<'_>,
    ) -> Result<Decoded, Violation> {
        if self.partial.is_none() {
            if let Some(whole) = decode_whole(input, limits)? {
                return Ok(whole);
            }
            if input.is_empty() {
                return Ok(Decoded {
                    taken: 0,
                    event: None,
                    cost: 0,
                });
            }
        }
        let partial = self.partial.get_or_insert_default();
        let decoded = partial.decode(input, limits)?;
        if partial.is_idle() {
            self.partial = None;
        }
        Ok(decoded)
    }

    /// Returns how many bytes of the input the last call has taken before it returned a violation.
    pub(crate) fn taken_before_violation(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.taken())
    }

    /// Stops decoding, and returns the [`Skip`] that goes on at this position.
    pub(crate) fn stop(&mut self) -> Skip {
        let partial = self.partial.take();
        partial.map(|partial| partial.stop()).unwrap_or_default()
    }

    /// Returns whether no part of the next message has been taken.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.partial.is_none()
    }

    /// Returns the age of the unfinished input, or `None` if there is none.
    pub(crate) fn age(&mut self) -> Option<&mut Age> {
        self.partial.as_mut().map(|partial| partial.age())
    }

    /// Returns the memory that unfinished input takes, in bytes.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn held(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.held())
    }
}

/// Decodes an unfragmented frame that is complete in the input. This is the common case.
fn decode_whole(input: &mut [u8], limits: &DecodeLimits<'_>) -> Result<Option<Decoded>, Violation> {
    let Some(head) = Head::parse(input, limits.deflate)? else {
        return Ok(None);
    };
    head.check_begins()?;
    if !head.is_control() && head.payload > limits.max_payload(head.compressed) {
        return Err(Violation::TooBig);
    }
    // A payload that does not fit in `usize` is over every limit.
    let payload = usize::try_from(head.payload).map_err(|_| Violation::TooBig)?;
    let Some(end) = head.len.checked_add(payload) else {
        return Err(Violation::TooBig);
    };
    if !head.fin || end > input.len() {
        return Ok(None);
    }
    let payload = &mut input[head.len..end];
    unmask(payload, head.mask);
    let (event, cost) = if head.is_control() {
        let cost = payload.len().max(MIN_FRAME_COST);
        (control(head.opcode, payload)?, cost)
    } else {
        let received = payload.len();
        let payload = if head.compressed {
            deflate::inflate(payload, limits.max_message)?
        } else {
            Bytes::copy_from_slice(payload)
        };
        // Compressed data may be longer than what it decompresses to, which may be nothing.
        let cost = payload.len().max(received);
        (message(head.opcode == OpCode::Text, payload)?, cost)
    };
    Ok(Some(Decoded {
        taken: end,
        event: Some(event),
        cost,
    }))
}

fn message(is_text: bool, payload: Bytes) -> Result<Event, Violation> {
    if is_text {
        text(payload)
    } else {
        Ok(Event::Message(Message::Binary(payload)))
    }
}

fn text(payload: Bytes) -> Result<Event, Violation> {
    match ByteString::try_from(payload) {
        Ok(text) => Ok(Event::Message(Message::Text(text))),
        Err(_) => Err(Violation::Utf8),
    }
}

fn control(opcode: OpCode, payload: &[u8]) -> Result<Event, Violation> {
    match opcode {
        OpCode::Ping => Ok(Event::Ping(Bytes::copy_from_slice(payload))),
        OpCode::Pong => Ok(Event::Pong),
        _ => close(payload).map(Event::Close),
    }
}

fn close(payload: &[u8]) -> Result<CloseFrame, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(CloseFrame::bare(CloseCode::NO_STATUS)),
        [_] => return Err(Violation::HalfCloseCode),
        [a, b, reason @ ..] => (CloseCode::from(u16::from_be_bytes([*a, *b])), reason),
    };
    if !code.is_sendable() {
        return Err(Violation::CloseCode);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Violation::CloseReason)?;
    Ok(CloseFrame::new(code, reason))
}
