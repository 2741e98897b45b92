//! The head of a client's first request, read before harpia decides who answers it.

use std::io;
use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri, Version};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{MAX_HEAD, MAX_HEADERS};

/// The room that is reserved for each read, in bytes. Most heads are shorter.
///
/// glibc's allocator treats blocks of up to 1,032 bytes as small. A larger block costs several
/// times as much.
const FIRST_READ: usize = 1024;

/// The first bytes of a client.
pub(crate) struct First {
    /// The bytes as they were sent.
    pub(crate) bytes: Bytes,
    /// The request that the bytes begin with. `None` if the parser refuses the request or its head
    /// is too long. In these cases hyper answers.
    pub(crate) head: Option<Head>,
}

/// A request head.
pub(crate) struct Head {
    /// Boxed, since it is moved several times.
    pub(crate) request: Box<Parts>,
    /// The bytes after the head.
    pub(crate) rest: Bytes,
}

/// The bytes of a client that has just connected.
#[derive(Default)]
pub(crate) struct FirstBytes(BytesMut);

impl FirstBytes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads up to the end of the head.
    ///
    /// Cancel safe: the bytes that were read stay in `self`.
    ///
    /// # Errors
    ///
    /// The error of the stream, or `UnexpectedEof` if the client has left.
    pub(crate) async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<First> {
        loop {
            self.0.reserve(FIRST_READ);
            let known = self.0.len();
            if stream.read_buf(&mut self.0).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(first) = self.take(known) {
                return Ok(first);
            }
        }
    }

    /// Takes the bytes if they hold a whole head, or can never become one. The first `known` bytes
    /// were parsed before.
    ///
    /// A head is parsed again only after the end of a line, and is refused after [`MAX_HEADERS`]
    /// lines. A client that sends byte by byte therefore cannot keep the parser busy.
    fn take(&mut self, known: usize) -> Option<First> {
        self.skip_empty_lines();
        let new = self.0.get(known..).unwrap_or_default();
        let is_worth_a_look = known == 0 || new.contains(&b'\n') || self.0.len() >= MAX_HEAD;
        if !is_worth_a_look {
            return None;
        }
        let bytes = std::mem::take(&mut self.0).freeze();
        match parse(&bytes) {
            Ok(Some(head)) => Some(First {
                bytes,
                head: Some(head),
            }),
            Ok(None) if bytes.len() < MAX_HEAD => {
                self.0 = BytesMut::from(bytes);
                None
            }
            Ok(None) | Err(_) => Some(First { bytes, head: None }),
        }
    }

    /// Removes empty lines before a request. A server should ignore them (RFC 9112 section 2.2).
    fn skip_empty_lines(&mut self) {
        let is_content = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        let start = self.0.iter().position(is_content);
        self.0.advance(start.unwrap_or(self.0.len()));
    }
}

/// The parser refuses the bytes.
struct Refused;

/// Parses a head. Its names and values are slices of `bytes`. Returns `None` if it is incomplete.
fn parse(bytes: &Bytes) -> Result<Option<Head>, Refused> {
    let mut fields = [MaybeUninit::uninit(); MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    match parsed.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => {
            let request = convert(bytes, &parsed).ok_or(Refused)?;
            let rest = bytes.slice(length..);
            Ok(Some(Head { request, rest }))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(_)) | Err(_) => Err(Refused),
    }
}

/// Converts a parsed request. Returns `None` if a part is not valid, for example a URI.
fn convert(bytes: &Bytes, parsed: &httparse::Request<'_, '_>) -> Option<Box<Parts>> {
    let (request, ()) = Request::new(()).into_parts();
    let mut request = Box::new(request);
    request.method = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    request.uri = Uri::from_maybe_shared(bytes.slice_ref(parsed.path?.as_bytes())).ok()?;
    request.version = match parsed.version? {
        1 => Version::HTTP_11,
        _ => Version::HTTP_10,
    };
    request.headers.reserve(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value)).ok()?;
        request.headers.append(name, value);
    }
    Some(request)
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
