//! What is not whole yet: a head, a frame, a message in fragments.

use bytes::Bytes;
use fastwebsockets::{OpCode, unmask};

use crate::message::Message;
use crate::protocol::Violation;
use crate::protocol::utf8::Validator;

use super::head::{Head, MAX_CONTROL, MAX_HEAD};
use super::{Event, control, text};

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
    payload: Vec<u8>,
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
        max_message: usize,
    ) -> Result<(usize, Option<Event>), Violation> {
        let mut taken = 0;
        loop {
            if self.frame.is_none() {
                let (bytes, is_whole) = self.take_head(&input[taken..], max_message)?;
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
            if let Some(event) = self.end_frame()? {
                return Ok((taken, Some(event)));
            }
            // A fragment is done, and its message is not.
            if taken == input.len() {
                return Ok((taken, None));
            }
        }
    }

    fn take_head(&mut self, input: &[u8], max_message: usize) -> Result<(usize, bool), Violation> {
        let known = self.head.len;
        let more = input.len().min(MAX_HEAD - known);
        self.head.bytes[known..known + more].copy_from_slice(&input[..more]);
        let Some(head) = Head::parse(&self.head.bytes[..known + more])? else {
            self.head.len += more;
            return Ok((more, false));
        };
        self.begin_frame(head, max_message)?;
        self.head.len = 0;
        Ok((head.len - known, true))
    }

    fn begin_frame(&mut self, head: Head, max_message: usize) -> Result<(), Violation> {
        if !head.is_control() {
            let message = match (&mut self.message, head.opcode) {
                (Some(message), OpCode::Continuation) => message,
                (Some(_), _) => return Err(Violation::MessageInMessage),
                (empty, _) => {
                    head.check_begins()?;
                    empty.insert(Unfinished {
                        is_text: head.opcode == OpCode::Text,
                        payload: Vec::new(),
                        utf8: Validator::default(),
                        announced: 0,
                    })
                }
            };
            message.announced = message.announced.saturating_add(head.payload);
            if message.announced > max_message as u64 {
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

    fn end_frame(&mut self) -> Result<Option<Event>, Violation> {
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
            Some(message) => message.finish().map(Some),
            None => Ok(None),
        }
    }
}

impl Unfinished {
    /// Adds bytes, judging text at once; `left` more belong to this frame.
    fn push(&mut self, bytes: &[u8], left: u64) -> Result<(), Violation> {
        if self.is_text {
            self.utf8.feed(bytes).map_err(|_| Violation::Utf8)?;
        }
        let needed = self.payload.len() + bytes.len();
        if needed > self.payload.capacity() {
            // Doubling, but not beyond the end of the frame that is known.
            let known =
                usize::try_from(left).map_or(usize::MAX, |left| left.saturating_add(needed));
            let target = needed.max(2 * self.payload.capacity()).min(known);
            self.payload.reserve_exact(target - self.payload.len());
        }
        self.payload.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self) -> Result<Event, Violation> {
        if !self.utf8.is_whole() {
            return Err(Violation::Utf8);
        }
        let payload = Bytes::from(self.payload.into_boxed_slice());
        if self.is_text {
            text(payload)
        } else {
            Ok(Event::Message(Message::Binary(payload)))
        }
    }
}

/// The mask as it stands after so many bytes of payload.
fn rotated(mask: [u8; 4], done: u64) -> [u8; 4] {
    let mut mask = mask;
    mask.rotate_left((done % 4) as usize);
    mask
}
