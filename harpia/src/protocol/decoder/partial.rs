//! What is not whole yet: a head, a frame, a message in fragments.

use std::sync::Arc;

use bytes::Bytes;
use fastwebsockets::{OpCode, unmask};

use crate::budget::Charge;
use crate::protocol::utf8::Validator;
use crate::protocol::{Violation, deflate};

use super::head::{Head, MAX_CONTROL, MAX_HEAD};
use super::{DecodeLimits, Event, control, message};

/// Unfinished input. Memory grows with what has arrived, never with what is announced.
#[derive(Debug, Default)]
pub(super) struct Partial {
    head: HeadBytes,
    frame: Option<Current>,
    message: Option<Unfinished>,
    /// The payload of a control frame, which may come between a message's fragments.
    control: Vec<u8>,
}

#[derive(Debug, Default)]
struct HeadBytes {
    bytes: [u8; MAX_HEAD],
    len: usize,
}

/// The frame whose payload is coming.
#[derive(Debug)]
struct Current {
    head: Head,
    done: u64,
}

/// A message of which a part is there.
#[derive(Debug)]
struct Unfinished {
    is_text: bool,
    /// What is compressed stays so until it is whole; only then can text be judged.
    compressed: bool,
    payload: Vec<u8>,
    /// The payload's part of what all connections may hold.
    charge: Charge,
    utf8: Validator,
    /// What all its frames announced so far.
    announced: u64,
}

impl Partial {
    pub(super) fn is_idle(&self) -> bool {
        self.head.len == 0 && self.frame.is_none() && self.message.is_none()
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let message = self.message.as_ref();
        size_of::<Self>()
            + self.control.capacity()
            + message.map_or(0, |message| message.payload.capacity())
    }

    pub(super) fn decode(
        &mut self,
        input: &mut [u8],
        terms: &DecodeLimits<'_>,
    ) -> Result<(usize, Option<Event>), Violation> {
        let mut taken = 0;
        loop {
            if self.frame.is_none() {
                let (bytes, is_whole) = self.take_head(&input[taken..], terms)?;
                taken += bytes;
                if !is_whole {
                    return Ok((taken, None));
                }
            }
            let (bytes, is_whole) = self.take_payload(&mut input[taken..])?;
            taken += bytes;
            if !is_whole {
                return Ok((taken, None));
            }
            if let Some(event) = self.end_frame(terms)? {
                return Ok((taken, Some(event)));
            }
            // A fragment is done, and its message is not.
            if taken == input.len() {
                return Ok((taken, None));
            }
        }
    }

    fn take_head(
        &mut self,
        input: &[u8],
        terms: &DecodeLimits<'_>,
    ) -> Result<(usize, bool), Violation> {
        let known = self.head.len;
        let more = input.len().min(MAX_HEAD - known);
        self.head.bytes[known..known + more].copy_from_slice(&input[..more]);
        let Some(head) = Head::parse(&self.head.bytes[..known + more], terms.deflate)? else {
            self.head.len += more;
            return Ok((more, false));
        };
        self.begin_frame(head, terms)?;
        self.head.len = 0;
        Ok((head.len - known, true))
    }

    fn begin_frame(&mut self, head: Head, terms: &DecodeLimits<'_>) -> Result<(), Violation> {
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
                        charge: Charge::new(Arc::clone(terms.budget)),
                        utf8: Validator::default(),
                        announced: 0,
                    })
                }
            };
            message.announced = message.announced.saturating_add(head.payload);
            if message.announced > terms.max_payload(message.compressed) {
                return Err(Violation::TooBig);
            }
        }
        self.frame = Some(Current { head, done: 0 });
        Ok(())
    }

    fn take_payload(&mut self, input: &mut [u8]) -> Result<(usize, bool), Violation> {
        let Some(frame) = &mut self.frame else {
            return Ok((0, true));
        };
        let left = frame.head.payload - frame.done;
        let take = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let payload = &mut input[..take];
        unmask(payload, rotated(frame.head.mask, frame.done));
        frame.done += take as u64;
        let is_whole = frame.done == frame.head.payload;
        let left = frame.head.payload - frame.done;
        match &mut self.message {
            Some(message) if !frame.head.is_control() => message.push(payload, left)?,
            _ => {
                self.control.reserve_exact(MAX_CONTROL as usize);
                self.control.extend_from_slice(payload);
            }
        }
        Ok((take, is_whole))
    }

    fn end_frame(&mut self, terms: &DecodeLimits<'_>) -> Result<Option<Event>, Violation> {
        let Some(Current { head, .. }) = self.frame.take() else {
            return Ok(None);
        };
        if head.is_control() {
            let payload = std::mem::take(&mut self.control);
            return control(head.opcode, &payload).map(Some);
        }
        if !head.fin {
            return Ok(None);
        }
        match self.message.take() {
            Some(message) => message.finish(terms).map(Some),
            None => Ok(None),
        }
    }
}

impl Unfinished {
    /// Adds bytes, judging text at once; `left` more belong to this frame.
    fn push(&mut self, bytes: &[u8], left: u64) -> Result<(), Violation> {
        if self.is_text && !self.compressed {
            self.utf8.feed(bytes).map_err(|_| Violation::Utf8)?;
        }
        let needed = self.payload.len() + bytes.len();
        if needed > self.payload.capacity() {
            // Doubling, but not beyond the end of the frame that is known.
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

    fn finish(self, terms: &DecodeLimits<'_>) -> Result<Event, Violation> {
        if self.compressed {
            let payload = deflate::inflate(&self.payload, terms.max_message)?;
            return message(self.is_text, payload);
        }
        if !self.utf8.is_whole() {
            return Err(Violation::Utf8);
        }
        message(self.is_text, Bytes::from(self.payload.into_boxed_slice()))
    }
}

/// The mask as it stands after so many bytes of payload.
fn rotated(mask: [u8; 4], done: u64) -> [u8; 4] {
    let mut mask = mask;
    mask.rotate_left((done % 4) as usize);
    mask
}
