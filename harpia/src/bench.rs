//! What the micro-benchmarks call: one door to each part of the hot path, so that the parts
//! themselves stay private. No stable interface.

use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Budget;
use crate::hub::LogBench;
use crate::message::Message;
use crate::protocol::{DecodeLimits, Decoder, deflate, frame};

/// Decodes whole frames as they lie in a read buffer.
#[derive(Debug)]
pub struct Decode {
    decoder: Decoder,
    budget: Arc<Budget>,
}

impl Decode {
    /// Begins between two messages.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            budget: Arc::new(Budget::new(usize::MAX)),
        }
    }

    /// Decodes all of it, unmasking in place, and returns how many messages there were.
    pub fn run(&mut self, mut input: &mut [u8]) -> usize {
        let terms = DecodeLimits {
            max_message: usize::MAX,
            deflate: false,
            budget: &self.budget,
        };
        let mut messages = 0;
        while !input.is_empty() {
            match self.decoder.decode(input, &terms) {
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

/// Encodes a message for many.
pub fn encode(message: &Message) -> Bytes {
    frame::encode(message)
}

/// Compresses a message for many.
pub fn compress(message: &Message) -> Option<Bytes> {
    deflate::encode(message)
}

/// The hub's log, which is appended to and emptied.
#[derive(Debug)]
pub struct HubLog(LogBench);

impl HubLog {
    /// Begins empty.
    pub fn new() -> Self {
        Self(LogBench::new())
    }

    /// Appends this many broadcasts of a message, then takes them all as a turn does.
    pub fn append(&mut self, message: &Message, count: usize) -> usize {
        self.0.append(message, count)
    }
}

impl Default for HubLog {
    fn default() -> Self {
        Self::new()
    }
}
