//! Skips a peer's frames after the server has decided to close. Only the peer's close frame
//! matters then.

use fastwebsockets::OpCode;

use super::head::{Head, MAX_HEAD};

/// Reads the heads of frames, and skips their payloads, up to a close frame.
#[derive(Debug, Default)]
pub(crate) struct Skip {
    /// The beginning of a head that has arrived in part.
    head: [u8; MAX_HEAD],
    head_len: usize,
    /// How many bytes of the current payload are still to come.
    left: u64,
    is_close: bool,
}

/// The state of a [`Skip`] after an input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Skipped {
    /// More frames may come.
    More,
    /// The peer's close frame was found. Bytes after it have no meaning (RFC 6455 section 5.5.1).
    Close,
    /// A head breaks a rule, so nothing after it can be parsed.
    Violation,
}

impl Skip {
    /// Begins where a decoder has stopped: after the beginning of a head, or within a payload.
    pub(super) fn after(head: &[u8], left: u64, is_close: bool) -> Self {
        let mut skip = Self {
            head_len: head.len(),
            left,
            is_close,
            ..Self::default()
        };
        skip.head[..head.len()].copy_from_slice(head);
        skip
    }

    /// Takes the input up to a close frame or a violation, or all of it if there is neither.
    pub(crate) fn take(&mut self, mut input: &[u8]) -> Skipped {
        loop {
            let skipped =
                usize::try_from(self.left).map_or(input.len(), |left| left.min(input.len()));
            input = &input[skipped..];
            self.left -= skipped as u64;
            if self.left > 0 {
                return Skipped::More;
            }
            if self.is_close {
                return Skipped::Close;
            }
            if input.is_empty() {
                return Skipped::More;
            }
            let known = self.head_len;
            let more = input.len().min(MAX_HEAD - known);
            self.head[known..known + more].copy_from_slice(&input[..more]);
            match Head::parse(&self.head[..known + more], true) {
                Err(_) => return Skipped::Violation,
                Ok(None) => {
                    self.head_len += more;
                    return Skipped::More;
                }
                Ok(Some(head)) => {
                    input = &input[head.len - known..];
                    self.head_len = 0;
                    self.left = head.payload;
                    self.is_close = head.opcode == OpCode::Close;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame. The mask is zero.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let len = payload.len();
        let mut bytes = vec![first];
        match u16::try_from(len) {
            Ok(short @ 0..126) => bytes.push(0x80 | short as u8),
            Ok(len) => {
                bytes.push(0x80 | 126);
                bytes.extend(len.to_be_bytes());
            }
            Err(_) => {
                bytes.push(0x80 | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    }

    /// Feeds the input in pieces of a length.
    fn skip(mut skip: Skip, input: &[u8], piece: usize) -> Skipped {
        for part in input.chunks(piece) {
            match skip.take(part) {
                Skipped::More => {}
                end => return end,
            }
        }
        Skipped::More
    }

    #[test]
    fn the_close_frame_is_found_after_frames_of_every_length_however_they_are_split() {
        let mut input = Vec::new();
        for len in [0, 1, 125, 126, 70_000] {
            input.extend(frame(0x82, &vec![0x88; len]));
        }
        input.extend(frame(0x89, b"ping"));
        let without = input.len();
        input.extend(frame(0x88, &[0x03, 0xe8]));
        for piece in [1, 2, 3, 7, 100, input.len()] {
            let found = skip(Skip::default(), &input, piece);
            assert_eq!(found, Skipped::Close, "pieces of {piece}");
            let found = skip(Skip::default(), &input[..without], piece);
            assert_eq!(found, Skipped::More, "pieces of {piece}");
            let found = skip(Skip::default(), &input[..input.len() - 1], piece);
            assert_eq!(found, Skipped::More, "the close frame is incomplete");
        }
    }

    #[test]
    fn skipping_goes_on_within_a_head_or_a_payload() {
        let input = [frame(0x82, &[0x88; 200]), frame(0x88, b"")].concat();
        let in_head = Skip::after(&input[..3], 0, false);
        assert_eq!(skip(in_head, &input[3..], 5), Skipped::Close);
        let in_payload = Skip::after(&[], 150, false);
        assert_eq!(skip(in_payload, &input[8 + 50..], 5), Skipped::Close);
        let in_close = Skip::after(&[], 3, true);
        assert_eq!(skip(in_close, b"abc", 2), Skipped::Close);
    }

    #[test]
    fn a_head_that_breaks_a_rule_ends_the_skipping() {
        let unmasked = [0x81, 0x01, b'x'];
        assert_eq!(skip(Skip::default(), &unmasked, 1), Skipped::Violation);
    }

    #[test]
    fn a_payload_of_any_announced_length_needs_no_memory() {
        let mut skip = Skip::after(&[], u64::MAX, false);
        assert_eq!(skip.take(&[0; 1000]), Skipped::More);
        assert_eq!(skip.left, u64::MAX - 1000);
    }
}
