//! The WebSocket protocol (RFC 6455): the opening handshake, decoding and encoding.
//!
//! This module has no I/O and no tasks. No other module uses fastwebsockets.

mod decoder;
pub(crate) mod deflate;
mod encoded;
pub(crate) mod extension;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod header;
pub(crate) mod origin;
mod utf8;
mod violation;

pub(crate) use decoder::{Age, DecodeLimits, Decoded, Decoder, Event, Skip, Skipped};
pub(crate) use encoded::{Encoded, Form};
pub(crate) use violation::Violation;
