//! One message on its way to one peer, compressed or not.

use std::io::{self, IoSlice};

use bytes::Bytes;

use crate::message::Message;
use crate::protocol::{deflate, frame};

use super::Transport;

pub(super) enum Outgoing<'a> {
    /// Encoded where it is written, since mostly nothing of it is kept.
    Plain(&'a Message),
    Deflated(Bytes),
}

/// Up to here copying costs less than a second slice.
const SMALL: usize = 512;

impl Outgoing<'_> {
    pub(super) fn append(&self, out: &mut Vec<u8>) {
        match self {
            Self::Plain(message) => frame::append(message, out),
            Self::Deflated(frame) => out.extend_from_slice(frame),
        }
    }

    pub(super) fn into_frame(self) -> Bytes {
        match self {
            Self::Plain(message) => frame::encode(message),
            Self::Deflated(frame) => frame,
        }
    }
}

impl Transport {
    /// Compresses a message, if that was agreed on, pays, and fits the peer's window.
    pub(super) fn outgoing<'a>(&self, message: &'a Message) -> Outgoing<'a> {
        let Some(agreement) = self.agreement else {
            return Outgoing::Plain(message);
        };
        let least = self.limits.compression.unwrap_or(usize::MAX);
        let pays = (least..=agreement.max_message()).contains(&message.len());
        let deflated = pays.then(|| deflate::encode(message)).flatten();
        deflated.map_or(Outgoing::Plain(message), Outgoing::Deflated)
    }

    /// Writes a message; returns how much of how much. A small one is put together first: to the
    /// kernel one piece is cheaper than two.
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
