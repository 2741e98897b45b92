//! The entry points of the micro-benchmarks into the hot path, whose parts stay private.
//!
//! This is not a stable interface.

use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Budget;
use crate::hub::LogBench;
use crate::message::Message;
use crate::protocol::{DecodeLimits, Decoder, deflate, frame};

/// Decodes whole frames in a read buffer.
#[derive(Debug)]
pub struct Decode {
    decoder: Decoder,
    budget: Arc<Budget>,
}

impl Decode {
    /// Makes a decoder that expects a new message.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            budget: Arc::new(Budget::new(usize::MAX)),
        }
    }

    /// Decodes all frames, unmasking them in place, and returns the number of messages.
    pub fn run(&mut self, mut input: &mut [u8]) -> usize {
        let limits = DecodeLimits {
            max_message: usize::MAX,
            deflate: false,
            budget: &self.budget,
        };
        let mut messages = 0;
        while !input.is_empty() {
            match self.decoder.decode(input, &limits) {
                Ok((taken, event)) => {
                    messages += usize::from(event.is_some());
                    input = &mut input[taken..];
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

/// Encodes a message once, for many recipients.
pub fn encode(message: &Message) -> Bytes {
    frame::encode(message)
}

/// Compresses a message once, for many recipients.
pub fn compress(message: &Message) -> Option<Bytes> {
    deflate::encode(message)
}

/// The hub's log of messages that wait to be distributed.
#[derive(Debug)]
pub struct HubLog(LogBench);

impl HubLog {
    /// Makes an empty log.
    pub fn new() -> Self {
        Self(LogBench::new())
    }

    /// Appends this many broadcasts of a message, then takes them all like a flush round.
    pub fn append(&mut self, message: &Message, count: usize) -> usize {
        self.0.append(message, count)
    }
}

impl Default for HubLog {
    fn default() -> Self {
        Self::new()
    }
}
