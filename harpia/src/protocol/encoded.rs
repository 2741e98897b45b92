//! A message as it goes out to many: encoded once, and compressed once where somebody takes that.

use bytes::Bytes;

use crate::message::Message;

use super::{deflate, frame};

/// The frame of a message, in one or two forms.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    plain: Bytes,
    /// Boxed, since most servers do not compress.
    deflated: Option<Box<Bytes>>,
}

/// How a peer takes what goes out to many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Plain,
    /// Compressed, where that is shorter.
    Deflated,
}

impl Encoded {
    /// Encodes a message; compressed too if it has at least so many bytes.
    pub(crate) fn new(message: &Message, compress_from: Option<usize>) -> Self {
        let compresses = compress_from.is_some_and(|least| message.len() >= least);
        let deflated = compresses.then(|| deflate::encode(message)).flatten();
        Self {
            plain: frame::encode(message),
            deflated: deflated.map(Box::new),
        }
    }

    /// Returns the frame for peers that take this form.
    pub(crate) fn frame(&self, form: Form) -> &Bytes {
        match (form, &self.deflated) {
            (Form::Deflated, Some(deflated)) => deflated,
            _ => &self.plain,
        }
    }

    pub(crate) fn is_deflated(&self) -> bool {
        self.deflated.is_some()
    }

    /// Returns the bytes that it holds.
    pub(crate) fn held(&self) -> usize {
        self.plain.len() + self.deflated.as_ref().map_or(0, |deflated| deflated.len())
    }
}
