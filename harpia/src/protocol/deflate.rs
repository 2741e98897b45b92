//! Compression of messages (RFC 7692). Each message is compressed by itself, without a context.
//!
//! One compressed frame therefore serves all recipients of a message, and a connection keeps no
//! window. Each thread has one compressor and one decompressor. The module `extension` agrees on
//! compression with a peer.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::message::Message;

use super::{Violation, frame};

/// The end of the output of a sync flush. A sender removes it, and a receiver adds it again (RFC
/// 7692 sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The capacity that a thread's buffer keeps between two messages, in bytes.
const KEEP: usize = 64 * 1024;

struct Inflater {
    stream: Decompress,
    output: Vec<u8>,
}

struct Deflater {
    stream: Compress,
    output: Vec<u8>,
}

thread_local! {
    static INFLATER: RefCell<Inflater> = RefCell::new(Inflater {
        stream: Decompress::new(false),
        output: Vec::new(),
    });
    static DEFLATER: RefCell<Deflater> = RefCell::new(Deflater {
        stream: Compress::new(Compression::default(), false),
        output: Vec::new(),
    });
}

/// Returns the longest compressed form of a message of `max_message` bytes.
///
/// Deflate stores data in blocks if it cannot compress the data. Each block adds a few bytes.
pub(super) fn max_compressed(max_message: usize) -> usize {
    max_message.saturating_add(max_message / 512 + 64)
}

/// Decompresses the payload of a message, and stops as soon as the result is too long.
pub(crate) fn inflate(payload: &[u8], max_message: usize) -> Result<Bytes, Violation> {
    INFLATER.with_borrow_mut(|inflater| {
        inflater.stream.reset(false);
        inflater.output.clear();
        inflater.feed(payload, max_message)?;
        inflater.feed(&TAIL, max_message)?;
        let message = Bytes::copy_from_slice(&inflater.output);
        inflater.output.truncate(0);
        inflater.output.shrink_to(KEEP);
        Ok(message)
    })
}

impl Inflater {
    fn feed(&mut self, mut input: &[u8], max_message: usize) -> Result<(), Violation> {
        loop {
            // The output has room for one byte more than allowed, so that a message that is too
            // long is noticed.
            let room = (max_message - self.output.len()).saturating_add(1);
            self.output.reserve(room.min(STEP));
            let before = (self.stream.total_in(), self.output.len());
            let status = self
                .stream
                .decompress_vec(input, &mut self.output, FlushDecompress::Sync)
                .map_err(|_| Violation::Compressed)?;
            // The buffer may have room for more than was reserved.
            if self.output.len() > max_message {
                return Err(Violation::TooBig);
            }
            let taken = self.stream.total_in() - before.0;
            input = input.get(taken as usize..).unwrap_or_default();
            if status == Status::StreamEnd {
                // More blocks may follow after a final block (RFC 7692 section 7.2.3.4).
                self.stream.reset(false);
            }
            let is_done = input.is_empty() && self.output.len() < self.output.capacity();
            let is_stuck = taken == 0 && self.output.len() == before.1;
            if is_done || is_stuck {
                return match input {
                    [] => Ok(()),
                    _ => Err(Violation::Compressed),
                };
            }
        }
    }
}

/// How much room for output is reserved at a time, in bytes.
const STEP: usize = 16 * 1024;

/// Encodes a message as a compressed frame, or returns `None` if compression does not shorten it.
pub(crate) fn encode(message: &Message) -> Option<Bytes> {
    DEFLATER.with_borrow_mut(|deflater| {
        deflater.stream.reset();
        deflater.output.clear();
        let compressed = deflater.run(message.as_bytes())?;
        let frame = frame::encode_compressed(message.is_text(), compressed);
        deflater.output.clear();
        deflater.output.shrink_to(KEEP);
        Some(frame)
    })
}

impl Deflater {
    /// Compresses the payload, or returns `None` if the result is not shorter.
    fn run(&mut self, payload: &[u8]) -> Option<&[u8]> {
        let limit = payload.len() + TAIL.len();
        loop {
            self.output.reserve(STEP.min(limit + 1));
            let taken = usize::try_from(self.stream.total_in()).ok()?;
            let rest = payload.get(taken..)?;
            let compressed = self
                .stream
                .compress_vec(rest, &mut self.output, FlushCompress::Sync);
            compressed.ok()?;
            if self.output.len() >= limit {
                return None;
            }
            if self.output.len() < self.output.capacity() {
                return self.output.strip_suffix(&TAIL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Returns the payload of a frame that `encode` made.
    fn payload(frame: &Bytes) -> Bytes {
        let head = match frame[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        frame.slice(head..)
    }

    #[test]
    fn the_example_of_the_rfc_is_decompressed() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&hello, 5), Ok(Bytes::from("Hello")));
        assert_eq!(inflate(&hello, 4), Err(Violation::TooBig));
    }

    #[test]
    fn more_blocks_may_follow_after_a_final_block() {
        let hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflate(&hello, 100), Ok(Bytes::from("Hello")));
    }

    #[test]
    fn data_that_is_not_a_deflate_stream_is_a_violation() {
        assert_eq!(inflate(&[0xff; 9], 100), Err(Violation::Compressed));
    }

    #[test]
    fn a_decompression_bomb_is_stopped_at_the_limit() {
        let zeros = Message::from(vec![0; 10 << 20]);
        let bomb = payload(&encode(&zeros).unwrap());
        assert!(bomb.len() < 20_000);
        assert_eq!(inflate(&bomb, 64 * 1024), Err(Violation::TooBig));
        let held = INFLATER.with_borrow(|inflater| inflater.output.capacity());
        assert!(held < 256 * 1024, "{held}");
        assert_eq!(inflate(&bomb, 10 << 20).unwrap().len(), 10 << 20);
    }

    #[test]
    fn a_message_that_exceeds_the_limit_only_in_its_last_bytes_is_too_big() {
        // A code at the end of this data goes on in the tail, and repeats bytes there.
        let cut_short = b"2?22";
        let message = inflate(cut_short, 1000).unwrap();
        let length = message.len();
        assert_eq!(inflate(cut_short, length), Ok(message));
        assert_eq!(inflate(cut_short, length - 1), Err(Violation::TooBig));
    }

    #[test]
    fn a_message_that_does_not_get_shorter_is_not_compressed() {
        assert_eq!(encode(&"a".into()), None);
        let mut state = 1u64;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        let noise: Vec<u8> = (0..2000).map(|_| noise()).collect();
        assert_eq!(encode(&noise.into()), None);
    }

    proptest! {
        #[test]
        fn a_compressed_message_decompresses_to_itself(
            word in vec(any::<u8>(), 1..40),
            times in 20usize..2000,
        ) {
            let message = Message::from(word.repeat(times));
            let frame = encode(&message).unwrap();
            prop_assert!(frame.len() < message.len() + 4);
            prop_assert_eq!(frame[0], 0xc2);
            let read = inflate(&payload(&frame), message.len());
            prop_assert_eq!(read, Ok(message.into_bytes()));
        }

        #[test]
        fn arbitrary_bytes_never_decompress_beyond_the_limit(bytes in vec(any::<u8>(), 0..300)) {
            if let Ok(message) = inflate(&bytes, 1000) {
                prop_assert!(message.len() <= 1000);
            }
        }
    }
}
