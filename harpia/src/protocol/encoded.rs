//! A message that is encoded once, and compressed at most once, for many recipients.

use bytes::Bytes;

use crate::message::Message;

use super::{deflate, frame};

/// The frame of a message: plain, and compressed if that is shorter.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    plain: Bytes,
    /// Most servers do not compress, so this is boxed to keep the struct small.
    deflated: Option<Box<Bytes>>,
}

/// The form in which a peer gets a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Plain,
    /// Compressed, if that is shorter.
    Deflated,
}

impl Encoded {
    /// Encodes a message. It is also compressed if it has at least `compress_from` bytes.
    pub(crate) fn new(message: &Message, compress_from: Option<usize>) -> Self {
        let compresses = compress_from.is_some_and(|least| message.len() >= least);
        let deflated = compresses.then(|| deflate::encode(message)).flatten();
        Self {
            plain: frame::encode(message),
            deflated: deflated.map(Box::new),
        }
    }

    /// Returns the frame for peers that get this form.
    pub(crate) fn frame(&self, form: Form) -> &Bytes {
        match (form, &self.deflated) {
            (Form::Deflated, Some(deflated)) => deflated,
            _ => &self.plain,
        }
    }

    pub(crate) fn is_deflated(&self) -> bool {
        self.deflated.is_some()
    }

    /// Returns the memory that the frames take, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.plain.len() + self.deflated.as_ref().map_or(0, |deflated| deflated.len())
    }
}
