//! Unfinished input: an incomplete head, frame or fragmented message.

use std::sync::Arc;

use bytes::Bytes;
use fastwebsockets::{OpCode, unmask};

use crate::budget::Charge;
use crate::protocol::utf8::Validator;
use crate::protocol::{Violation, deflate};

use super::age::Age;
use super::head::{Head, MAX_CONTROL, MAX_HEAD};
use super::skip::Skip;
use super::{DecodeLimits, Decoded, Event, MIN_FRAME_COST, control, message};

/// Unfinished input. It takes memory for bytes that have arrived, never for bytes that are
/// announced.
#[derive(Debug, Default)]
pub(super) struct Partial {
    head: HeadBytes,
    frame: Option<Current>,
    message: Option<Unfinished>,
    /// The payload of a control frame, which may come between the fragments of a message.
    control: Vec<u8>,
    /// How many bytes of the last input were taken, even if the input contained a violation.
    taken: usize,
    /// What the frames cost that the last input has completed, in bytes.
    cost: usize,
    age: Age,
}

#[derive(Debug, Default)]
struct HeadBytes {
    bytes: [u8; MAX_HEAD],
    len: usize,
}

/// The frame whose payload is arriving.
#[derive(Debug)]
struct Current {
    head: Head,
    done: u64,
}

/// A message that has arrived in part.
#[derive(Debug)]
struct Unfinished {
    is_text: bool,
    /// Whether the message is compressed. If so, it is decompressed and its text is checked once it
    /// is complete.
    compressed: bool,
    payload: Vec<u8>,
    /// The payload's share of the budget.
    charge: Charge,
    utf8: Validator,
    /// The sum of the payload lengths that the message's frames have announced, in bytes.
    announced: u64,
}

impl Partial {
    pub(super) fn is_idle(&self) -> bool {
        self.head.len == 0 && self.frame.is_none() && self.message.is_none()
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn held(&self) -> usize {
        let message = self.message.as_ref();
        size_of::<Self>()
            + self.control.capacity()
            + message.map_or(0, |message| message.payload.capacity())
    }

    pub(super) fn decode(
        &mut self,
        input: &mut [u8],
        limits: &DecodeLimits<'_>,
    ) -> Result<Decoded, Violation> {
        self.taken = 0;
        self.cost = 0;
        let event = self.decode_event(input, limits)?;
        Ok(Decoded {
            taken: self.taken,
            event,
            cost: self.cost,
        })
    }

    fn decode_event(
        &mut self,
        input: &mut [u8],
        limits: &DecodeLimits<'_>,
    ) -> Result<Option<Event>, Violation> {
        loop {
            if self.frame.is_none() {
                let (bytes, is_whole) = self.take_head(&input[self.taken..], limits)?;
                self.taken += bytes;
                if !is_whole {
                    return Ok(None);
                }
            }
            let is_whole = self.take_payload(&mut input[self.taken..])?;
            if !is_whole {
                return Ok(None);
            }
            if let Some(event) = self.end_frame(limits)? {
                return Ok(Some(event));
            }
            // The fragment is complete, but its message is not.
            if self.taken == input.len() {
                return Ok(None);
            }
        }
    }

    pub(super) fn age(&mut self) -> &mut Age {
        &mut self.age
    }

    /// Returns how many bytes of the last input were taken.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Returns the [`Skip`] that goes on at this position.
    pub(super) fn stop(&self) -> Skip {
        let head = &self.head.bytes[..self.head.len];
        match &self.frame {
            Some(Current { head, done }) => {
                Skip::after(&[], head.payload - done, head.opcode == OpCode::Close)
            }
            None => Skip::after(head, 0, false),
        }
    }

    fn take_head(
        &mut self,
        input: &[u8],
        limits: &DecodeLimits<'_>,
    ) -> Result<(usize, bool), Violation> {
        let known = self.head.len;
        let more = input.len().min(MAX_HEAD - known);
        self.head.bytes[known..known + more].copy_from_slice(&input[..more]);
        let Some(head) = Head::parse(&self.head.bytes[..known + more], limits.deflate)? else {
            self.head.len += more;
            self.grow(more);
            return Ok((more, false));
        };
        self.begin_frame(head, limits)?;
        self.head.len = 0;
        Ok((head.len - known, true))
    }

    fn begin_frame(&mut self, head: Head, limits: &DecodeLimits<'_>) -> Result<(), Violation> {
        if !head.is_control() {
            let message = match (&mut self.message, head.opcode) {
                (Some(message), OpCode::Continuation) => message,
                (Some(_), _) => return Err(Violation::MessageInMessage),
                (empty, _) => {
                    head.check_begins()?;
                    empty.insert(Unfinished {
                        is_text: head.opcode == OpCode::Text,
                        compressed: head.compressed,
                        payload: Vec::new(),
                        charge: Charge::new(Arc::clone(limits.budget)),
                        utf8: Validator::default(),
                        announced: 0,
                    })
                }
            };
            message.announced = message.announced.saturating_add(head.payload);
            if message.announced > limits.max_payload(message.compressed) {
                return Err(Violation::TooBig);
            }
        }
        // A frame of the message has begun, even if none of its payload has come.
        self.grow(usize::from(!head.is_control()));
        self.frame = Some(Current { head, done: 0 });
        Ok(())
    }

    /// Notes that this many bytes have come that may belong to the message.
    ///
    /// Control frames between the fragments do not count. Otherwise pings could keep a message
    /// unfinished.
    fn grow(&mut self, bytes: usize) {
        if bytes > 0 {
            self.age.grow();
        }
    }

    /// Takes bytes of the current payload, and returns whether it is complete.
    fn take_payload(&mut self, input: &mut [u8]) -> Result<bool, Violation> {
        let Some(frame) = &mut self.frame else {
            return Ok(true);
        };
        let left = frame.head.payload - frame.done;
        let take = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let payload = &mut input[..take];
        unmask(payload, rotated(frame.head.mask, frame.done));
        frame.done += take as u64;
        self.taken += take;
        let is_whole = frame.done == frame.head.payload;
        let left = frame.head.payload - frame.done;
        let is_control = frame.head.is_control();
        match &mut self.message {
            Some(message) if !is_control => message.push(payload, left)?,
            _ => {
                self.control.reserve_exact(MAX_CONTROL as usize);
                self.control.extend_from_slice(payload);
            }
        }
        self.grow(if is_control { 0 } else { take });
        Ok(is_whole)
    }

    fn end_frame(&mut self, limits: &DecodeLimits<'_>) -> Result<Option<Event>, Violation> {
        let Some(Current { head, .. }) = self.frame.take() else {
            return Ok(None);
        };
        let payload = usize::try_from(head.payload).unwrap_or(usize::MAX);
        let is_whole_message = head.fin && matches!(head.opcode, OpCode::Text | OpCode::Binary);
        let least = if is_whole_message { 0 } else { MIN_FRAME_COST };
        self.cost = self.cost.saturating_add(payload.max(least));
        if head.is_control() {
            let payload = std::mem::take(&mut self.control);
            return control(head.opcode, &payload).map(Some);
        }
        if !head.fin {
            return Ok(None);
        }
        let Some(unfinished) = self.message.take() else {
            return Ok(None);
        };
        let received = unfinished.payload.len();
        let event = unfinished.finish(limits)?;
        if let Event::Message(message) = &event {
            // A compressed message costs what it has after decompression, if that is longer.
            self.cost += message.len().saturating_sub(received);
        }
        Ok(Some(event))
    }
}

impl Unfinished {
    /// Adds bytes, and checks them if the message is text. `left` is the number of bytes of the
    /// current frame that have not arrived.
    fn push(&mut self, bytes: &[u8], left: u64) -> Result<(), Violation> {
        if self.is_text && !self.compressed {
            self.utf8.feed(bytes).map_err(|_| Violation::Utf8)?;
        }
        let needed = self.payload.len() + bytes.len();
        if needed > self.payload.capacity() {
            // Double the capacity, but not beyond the end of the current frame.
            let known =
                usize::try_from(left).map_or(usize::MAX, |left| left.saturating_add(needed));
            let target = needed.max(2 * self.payload.capacity()).min(known);
            if !self.charge.try_add(target - self.payload.capacity()) {
                return Err(Violation::Overload);
            }
            self.payload.reserve_exact(target - self.payload.len());
        }
        self.payload.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self, limits: &DecodeLimits<'_>) -> Result<Event, Violation> {
        if self.compressed {
            let payload = deflate::inflate(&self.payload, limits.max_message)?;
            return message(self.is_text, payload);
        }
        if !self.utf8.is_whole() {
            return Err(Violation::Utf8);
        }
        message(self.is_text, Bytes::from(self.payload.into_boxed_slice()))
    }
}

/// Returns the mask for the byte at position `done` of the payload.
fn rotated(mask: [u8; 4], done: u64) -> [u8; 4] {
    let mut mask = mask;
    mask.rotate_left((done % 4) as usize);
    mask
}
