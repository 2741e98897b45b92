//! Encodes one message for one peer, compressed or not, and writes it.

use std::io::{self, IoSlice};

use bytes::Bytes;

use crate::message::Message;
use crate::protocol::{deflate, frame};

use super::Transport;

/// A message in the form in which one peer receives it.
pub(super) enum Outgoing<'a> {
    /// Not encoded yet. Most messages are written at once, and then no frame has to be kept.
    Plain(&'a Message),
    /// A compressed frame.
    Deflated(Bytes),
}

/// The largest frame, in bytes, for which a copy costs less than a write of two slices.
const SMALL: usize = 512;

impl Outgoing<'_> {
    /// Appends the encoded frame to `out`.
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Plain(message) => frame::append(message, out),
            Self::Deflated(frame) => out.extend_from_slice(frame),
        }
    }

    /// Returns the encoded frame.
    pub(super) fn into_frame(self) -> Bytes {
        match self {
            Self::Plain(message) => frame::encode(message),
            Self::Deflated(frame) => frame,
        }
    }
}

impl Transport {
    /// Compresses a message if that is worthwhile.
    ///
    /// Compression is worthwhile if it was agreed on in the handshake, and if the message reaches
    /// the route's `compression` size, fits the peer's compression window, and becomes smaller.
    pub(super) fn outgoing<'a>(&self, message: &'a Message) -> Outgoing<'a> {
        let Some(agreement) = self.agreement else {
            return Outgoing::Plain(message);
        };
        let min_len = self.limits.compression.unwrap_or(usize::MAX);
        let is_in_range = (min_len..=agreement.max_message()).contains(&message.len());
        let deflated = is_in_range.then(|| deflate::encode(message)).flatten();
        deflated.map_or(Outgoing::Plain(message), Outgoing::Deflated)
    }

    /// Writes a message, and returns the bytes written and the length of its frame.
    ///
    /// The head and the payload of a small frame are first copied into one piece, because the
    /// kernel handles one piece faster than two.
    pub(super) fn write_message(&self, outgoing: &Outgoing<'_>) -> io::Result<(usize, usize)> {
        let message = match outgoing {
            Outgoing::Plain(message) => message,
            Outgoing::Deflated(frame) => {
                let written = self.write(&[IoSlice::new(frame)], frame.len());
                return Ok((written?, frame.len()));
            }
        };
        let (head, head_len) = frame::head(message);
        let (head, payload) = (&head[..head_len], message.as_bytes());
        let total = head_len + payload.len();
        let mut small = [0; SMALL];
        let written = if let Some(frame) = small.get_mut(..total) {
            frame[..head_len].copy_from_slice(head);
            frame[head_len..].copy_from_slice(payload);
            self.write(&[IoSlice::new(frame)], total)
        } else {
            self.write(&[IoSlice::new(head), IoSlice::new(payload)], total)
        };
        Ok((written?, total))
    }
}
