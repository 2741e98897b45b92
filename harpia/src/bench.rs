//! Entry points for the micro-benchmarks: one for each part of the hot path.
//!
//! They let the benchmarks reach code that otherwise stays private. This module is not a stable
//! interface.

use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Budget;
use crate::hub::LogBench;
use crate::message::Message;
use crate::protocol::{DecodeLimits, Decoder, deflate, frame};

/// Decodes a buffer of whole frames.
#[derive(Debug)]
pub struct Decode {
    decoder: Decoder,
    budget: Arc<Budget>,
}

impl Decode {
    /// Creates a decoder that expects the start of a message.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            budget: Arc::new(Budget::new(usize::MAX)),
        }
    }

    /// Decodes all of `input`, unmasking it in place, and returns the number of messages.
    pub fn run(&mut self, mut input: &mut [u8]) -> usize {
        let limits = DecodeLimits {
            max_message: usize::MAX,
            deflate: false,
            budget: &self.budget,
        };
        let mut messages = 0;
        while !input.is_empty() {
            match self.decoder.decode(input, &limits) {
                Ok(decoded) => {
                    messages += usize::from(decoded.event.is_some());
                    input = &mut input[decoded.taken..];
                }
                Err(_) => return messages,
            }
        }
        messages
    }
}

impl Default for Decode {
    fn default() -> Self {
        Self::new()
    }
}

/// Encodes a message as a frame that can be sent to many peers.
pub fn encode(message: &Message) -> Bytes {
    frame::encode(message)
}

/// Compresses a message into a frame that can be sent to many peers.
///
/// Returns `None` if compression does not make the message smaller.
pub fn compress(message: &Message) -> Option<Bytes> {
    deflate::encode(message)
}

/// A hub log without a hub: the benchmark appends to it and empties it.
#[derive(Debug)]
pub struct HubLog(LogBench);

impl HubLog {
    /// Creates an empty log.
    pub fn new() -> Self {
        Self(LogBench::new())
    }

    /// Appends `count` broadcasts of a message, then takes them all as a flush round does.
    ///
    /// Returns the number of records taken.
    pub fn append(&mut self, message: &Message, count: usize) -> usize {
        self.0.append(message, count)
    }
}

impl Default for HubLog {
    fn default() -> Self {
        Self::new()
    }
}
