//! RFC 6455 as a client needs it: masked frames out, unmasked frames in. No I/O.

use std::mem;

/// What a server's frames say.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Event<'a> {
    Message(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    Close,
}

/// A server that breaks the protocol.
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

/// Appends one masked frame, whose payload is these parts one after the other.
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

/// The bytes that came so far, and what of them is not yet whole.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// The beginning of a frame.
    partial: Vec<u8>,
    /// The fragments of a message whose last one is yet to come.
    fragments: Option<Vec<u8>>,
}

impl Incoming {
    /// Takes in what was read, and tells of everything that is whole by now.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Malformed> {
        if self.partial.is_empty() {
            let used = self.take_frames(bytes, tell)?;
            self.partial.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut joined = mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        let used = self.take_frames(&joined, tell)?;
        if used < joined.len() {
            joined.drain(..used);
            self.partial = joined;
        }
        Ok(())
    }

    /// Returns how many bytes the whole frames took up.
    fn take_frames(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, Malformed> {
        let mut used = 0;
        while let Some(head) = Head::parse(&bytes[used..])? {
            let start = used + head.size;
            let Some(payload) = bytes.get(start..start.saturating_add(head.length)) else {
                break;
            };
            self.take_frame(&head, payload, tell)?;
            used = start + head.length;
        }
        Ok(used)
    }

    fn take_frame(
        &mut self,
        head: &Head,
        payload: &[u8],
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<(), Malformed> {
        match (head.opcode, &mut self.fragments) {
            (1 | 2, None) if head.is_last => tell(Event::Message(payload)),
            (1 | 2, None) => self.fragments = Some(payload.to_vec()),
            (0, Some(fragments)) => {
                fragments.extend_from_slice(payload);
                if head.is_last {
                    tell(Event::Message(fragments));
                    self.fragments = None;
                }
            }
            (8, _) => tell(Event::Close),
            (PING, _) => tell(Event::Ping(payload)),
            (PONG, _) => tell(Event::Pong),
            _ => return Err(Malformed("the server sent a frame out of turn")),
        }
        Ok(())
    }
}

struct Head {
    is_last: bool,
    opcode: u8,
    /// Bytes of the head itself.
    size: usize,
    /// Bytes of the payload behind it.
    length: usize,
}

impl Head {
    /// Returns nothing while the head is not whole.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let &[first, second, ref rest @ ..] = bytes else {
            return Ok(None);
        };
        if second & 0x80 != 0 {
            return Err(Malformed("the server sent a masked frame"));
        }
        if first & 0x70 != 0 {
            return Err(Malformed("the server sent an extension nobody asked for"));
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

/// Eight bytes at a time, so that the generator's share of a message stays small.
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

/// One key for all frames: a load test has no proxy to protect.
const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

#[cfg(test)]
mod tests {
    use super::*;

    fn events(incoming: &mut Incoming, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        incoming
            .feed(bytes, &mut |event| events.push(format!("{event:?}")))
            .unwrap();
        events
    }

    #[test]
    fn frames_are_found_wherever_a_read_ends() {
        let mut bytes = vec![0x81, 2, b'h', b'i', 0x89, 0, 0x82, 126, 1, 0];
        bytes.extend_from_slice(&[7; 256]);
        bytes.extend_from_slice(&[0x8a, 1, 0, 0x88, 0]);
        let whole = events(&mut Incoming::default(), &bytes);
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[0], format!("{:?}", Event::Message(b"hi")));
        assert_eq!(whole[4], "Close");
        for end in 0..bytes.len() {
            let mut incoming = Incoming::default();
            let mut halves = events(&mut incoming, &bytes[..end]);
            halves.extend(events(&mut incoming, &bytes[end..]));
            assert_eq!(halves, whole, "cut at {end}");
        }
    }

    #[test]
    fn fragments_are_one_message() {
        let bytes = [0x01, 1, b'a', 0x8a, 0, 0x00, 1, b'b', 0x80, 1, b'c'];
        let events = events(&mut Incoming::default(), &bytes);
        assert_eq!(
            events,
            ["Pong".to_owned(), format!("{:?}", Event::Message(b"abc"))]
        );
    }

    #[test]
    fn a_server_that_breaks_the_protocol_is_found_out() {
        for bytes in [&[0x81, 0x80][..], &[0xc1, 0], &[0x80, 0], &[0x83, 0]] {
            let told = Incoming::default().feed(bytes, &mut |_| {});
            assert!(told.is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_written_can_be_unmasked() {
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
