//! The head of a client's first request, read before harpia decides who answers it.

use std::io;
use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{MAX_HEAD, MAX_HEADERS};

/// The room for a head that the first read fills. Most heads are shorter.
const FIRST_READ: usize = 2048;

/// The first bytes of a client.
pub(super) struct First {
    /// The bytes as they were sent.
    pub(super) bytes: Bytes,
    /// The request that they begin with. `None` if the parser refuses it or it is too long: hyper
    /// has the last word on those bytes.
    pub(super) head: Option<Head>,
}

/// A request head.
pub(super) struct Head {
    pub(super) request: Parts,
    /// The bytes after the head.
    pub(super) rest: Bytes,
}

/// The bytes of a client that has just connected.
#[derive(Default)]
pub(super) struct FirstBytes {
    bytes: BytesMut,
    /// How many bytes were searched for the end of the head.
    searched: usize,
}

impl FirstBytes {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads up to the end of the head.
    ///
    /// Cancel safe: the bytes that were read stay in `self`.
    ///
    /// # Errors
    ///
    /// The error of the stream, or `UnexpectedEof` if the client has left.
    pub(super) async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<First> {
        loop {
            self.bytes.reserve(FIRST_READ);
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(first) = self.take() {
                return Ok(first);
            }
        }
    }

    /// Takes the bytes if they hold a whole head, or can never become one.
    fn take(&mut self) -> Option<First> {
        let is_first_read = self.searched == 0;
        let is_complete = self.has_end();
        if !is_complete && self.bytes.len() < MAX_HEAD {
            // Parsed once before it is complete, so that a client of another protocol is answered
            // at once. Not after each read, or a slow client could keep the parser busy.
            let mut fields = [MaybeUninit::uninit(); MAX_HEADERS];
            let mut request = httparse::Request::new(&mut []);
            let is_good = !is_first_read
                || request
                    .parse_with_uninit_headers(&self.bytes, &mut fields)
                    .is_ok();
            if is_good {
                return None;
            }
        }
        let bytes = std::mem::take(&mut self.bytes).freeze();
        let head = parse(&bytes);
        Some(First { bytes, head })
    }

    /// Returns whether the bytes have an empty line, which ends the head. Each byte is searched
    /// once.
    fn has_end(&mut self) -> bool {
        let start = self.searched.saturating_sub(3);
        self.searched = self.bytes.len();
        let mut lines = self.bytes[start..].iter().enumerate();
        lines.any(|(at, byte)| {
            let after = &self.bytes[start + at + 1..];
            *byte == b'\n' && (after.starts_with(b"\n") || after.starts_with(b"\r\n"))
        })
    }
}

/// Parses a head. The names and values are slices of `bytes`.
fn parse(bytes: &Bytes) -> Option<Head> {
    let mut fields = [MaybeUninit::uninit(); MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    let status = parsed.parse_with_uninit_headers(bytes, &mut fields).ok()?;
    let httparse::Status::Complete(length) = status else {
        return None;
    };
    if length > MAX_HEAD {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value)).ok()?;
        headers.append(name, value);
    }
    let (mut request, ()) = Request::new(()).into_parts();
    request.method = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    request.uri = Uri::from_maybe_shared(bytes.slice_ref(parsed.path?.as_bytes())).ok()?;
    request.version = match parsed.version? {
        1 => Version::HTTP_11,
        _ => Version::HTTP_10,
    };
    request.headers = headers;
    Some(Head {
        request,
        rest: bytes.slice(length..),
    })
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use pieces::Pieces;

    use super::*;

    /// A reader that returns one piece for each read. No piece is longer than `FIRST_READ`.
    mod pieces {
        use std::io;
        use std::pin::Pin;
        use std::task::{Context, Poll};

        use tokio::io::{AsyncRead, ReadBuf};

        pub(super) struct Pieces<I>(pub(super) I);

        impl<'a, I: Iterator<Item = &'a [u8]> + Unpin> AsyncRead for Pieces<I> {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                buffer.put_slice(self.0.next().unwrap_or_default());
                Poll::Ready(Ok(()))
            }
        }
    }

    fn read(bytes: &[u8], piece: usize) -> io::Result<First> {
        let mut first = FirstBytes::default();
        let mut pieces = Pieces(bytes.chunks(piece));
        let reading = pin!(first.read(&mut pieces));
        match reading.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(read) => read,
            Poll::Pending => unreachable!("the reader is always ready"),
        }
    }

    const HEAD: &[u8] = b"GET /chat?a=b HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\n\r\n";

    #[test]
    fn a_head_is_read_from_pieces_of_any_size_with_the_bytes_after_it() {
        let bytes = [HEAD, b"rest"].concat();
        for piece in [1, 2, 3, 7, bytes.len()] {
            let head = read(&bytes, piece).ok().and_then(|first| first.head);
            let Some(head) = head else {
                panic!("pieces of {piece} bytes gave no head");
            };
            assert_eq!(head.request.method, Method::GET);
            assert_eq!(head.request.uri, "/chat?a=b");
            assert_eq!(head.request.version, Version::HTTP_11);
            let values: Vec<_> = head.request.headers.get_all("x").iter().collect();
            assert_eq!(values, ["1", "2"]);
            assert!(b"rest".starts_with(&head.rest), "{:?}", head.rest);
        }
    }

    #[test]
    fn lines_may_end_with_a_bare_line_feed() {
        let first = read(b"GET / HTTP/1.0\nHost: h\n\n", 3).unwrap();
        assert!(first.head.is_some());
    }

    #[test]
    fn bytes_of_another_protocol_are_left_to_hyper_unchanged() {
        let long = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'x'; MAX_HEAD]].concat();
        let many = "X: 1\r\n".repeat(MAX_HEADERS + 1);
        let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
        for bytes in [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00".as_slice(),
            b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            &long,
            many.as_bytes(),
        ] {
            let first = read(bytes, 1024).unwrap();
            assert!(first.head.is_none(), "{}", bytes.escape_ascii());
            assert!(bytes.starts_with(&first.bytes));
        }
    }

    #[test]
    fn a_client_that_leaves_within_the_head_is_an_error() {
        let cut = &HEAD[..20];
        let error = read(cut, 6).err().map(|error| error.kind());
        assert_eq!(error, Some(io::ErrorKind::UnexpectedEof));
    }
}
