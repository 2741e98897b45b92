//! RFC 6455, the client's side: encodes masked frames, decodes unmasked ones. No I/O.

use std::mem;

/// A complete message or control frame from the server.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Event<'a> {
    Message(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    Close,
}

/// The server violated the protocol.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Malformed(&'static str);

impl From<Malformed> for std::io::Error {
    fn from(malformed: Malformed) -> Self {
        Self::other(malformed.0)
    }
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Appends one masked frame. Its payload is the concatenation of `parts`.
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, parts: &[&[u8]]) {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    out.push(0x80 | opcode);
    match length {
        0..=125 => out.push(0x80 | length as u8),
        126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&KEY);
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    mask(&mut out[start..]);
}

/// Splits the received bytes into messages and control frames.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The first bytes of an incomplete frame.
    partial: Vec<u8>,
    /// The payload so far of an incomplete fragmented message.
    fragments: Option<Vec<u8>>,
}

impl Decoder {
    /// Decodes the bytes of one read, and calls `on_event` for everything that is complete.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Malformed> {
        if self.partial.is_empty() {
            let used = self.take_frames(bytes, on_event)?;
            self.partial.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut joined = mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        let used = self.take_frames(&joined, on_event)?;
        if used < joined.len() {
            joined.drain(..used);
            self.partial = joined;
        }
        Ok(())
    }

    /// Decodes all complete frames. Returns the number of bytes that they took up.
    fn take_frames(
        &mut self,
        bytes: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, Malformed> {
        let mut used = 0;
        while let Some(header) = Header::parse(&bytes[used..])? {
            let start = used + header.size;
            let Some(payload) = bytes.get(start..start.saturating_add(header.length)) else {
                break;
            };
            self.take_frame(&header, payload, on_event)?;
            used = start + header.length;
        }
        Ok(used)
    }

    fn take_frame(
        &mut self,
        header: &Header,
        payload: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Malformed> {
        match (header.opcode, &mut self.fragments) {
            (1 | 2, None) if header.is_last => on_event(Event::Message(payload)),
            (1 | 2, None) => self.fragments = Some(payload.to_vec()),
            (0, Some(fragments)) => {
                fragments.extend_from_slice(payload);
                if header.is_last {
                    on_event(Event::Message(fragments));
                    self.fragments = None;
                }
            }
            (8, _) => on_event(Event::Close),
            (PING, _) => on_event(Event::Ping(payload)),
            (PONG, _) => on_event(Event::Pong),
            _ => {
                return Err(Malformed(
                    "the server sent a frame of an unknown or unexpected type",
                ));
            }
        }
        Ok(())
    }
}

struct Header {
    is_last: bool,
    opcode: u8,
    /// Size of the header, in bytes.
    size: usize,
    /// Size of the payload, in bytes.
    length: usize,
}

impl Header {
    /// Parses a header. Returns `None` if the header is incomplete.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let &[first, second, ref rest @ ..] = bytes else {
            return Ok(None);
        };
        if second & 0x80 != 0 {
            return Err(Malformed("the server sent a masked frame"));
        }
        if first & 0x70 != 0 {
            return Err(Malformed(
                "the server set a reserved bit without a negotiated extension",
            ));
        }
        let (size, length) = match (second, rest) {
            (126, &[a, b, ..]) => (4, usize::from(u16::from_be_bytes([a, b]))),
            (127, &[a, b, c, d, e, f, g, h, ..]) => {
                (10, u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize)
            }
            (126 | 127, _) => return Ok(None),
            (length, _) => (2, usize::from(length)),
        };
        Ok(Some(Self {
            is_last: first & 0x80 != 0,
            opcode: first & 0x0f,
            size,
            length,
        }))
    }
}

/// Masks a payload, eight bytes at a time to keep the load generator's own cost low.
fn mask(payload: &mut [u8]) {
    let [a, b, c, d] = KEY;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(KEY.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// The masking key of all frames. It is constant, since a load test has no proxy to protect
/// (RFC 6455, section 10.3).
const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

#[cfg(test)]
mod tests {
    use super::*;

    fn events(decoder: &mut Decoder, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        decoder
            .feed(bytes, &mut |event| events.push(format!("{event:?}")))
            .unwrap();
        events
    }

    #[test]
    fn frames_are_decoded_wherever_a_read_ends() {
        let mut bytes = vec![0x81, 2, b'h', b'i', 0x89, 0, 0x82, 126, 1, 0];
        bytes.extend_from_slice(&[7; 256]);
        bytes.extend_from_slice(&[0x8a, 1, 0, 0x88, 0]);
        let whole = events(&mut Decoder::default(), &bytes);
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[0], format!("{:?}", Event::Message(b"hi")));
        assert_eq!(whole[4], "Close");
        for end in 0..bytes.len() {
            let mut decoder = Decoder::default();
            let mut halves = events(&mut decoder, &bytes[..end]);
            halves.extend(events(&mut decoder, &bytes[end..]));
            assert_eq!(halves, whole, "cut at {end}");
        }
    }

    #[test]
    fn fragments_are_one_message() {
        let bytes = [0x01, 1, b'a', 0x8a, 0, 0x00, 1, b'b', 0x80, 1, b'c'];
        let events = events(&mut Decoder::default(), &bytes);
        assert_eq!(
            events,
            ["Pong".to_owned(), format!("{:?}", Event::Message(b"abc"))]
        );
    }

    #[test]
    fn a_protocol_violation_of_the_server_is_an_error() {
        for bytes in [&[0x81, 0x80][..], &[0xc1, 0], &[0x80, 0], &[0x83, 0]] {
            let result = Decoder::default().feed(bytes, &mut |_| {});
            assert!(result.is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn a_written_frame_can_be_unmasked() {
        for length in [0, 4, 5, 125, 126, 300, 0x1_0000] {
            let payload = vec![b'x'; length];
            let mut out = Vec::new();
            write(&mut out, TEXT, &[b"42", &payload]);
            let start = out.len() - length - 2;
            assert_eq!(out[start - 4..start], KEY);
            let sent = out[start..].iter().zip(KEY.iter().cycle());
            let plain: Vec<u8> = sent.map(|(byte, key)| byte ^ key).collect();
            assert_eq!(plain, [b"42", &payload[..]].concat());
        }
    }
}
