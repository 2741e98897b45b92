//! Request heads and handshakes.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::request::Parts;

use crate::limits::{MAX_HEAD, MAX_HEADERS};
use crate::options::Origins;
use crate::protocol::handshake::{self, Rules};
use crate::server::FirstBytes;

use super::Pieces;

/// What [`head`] has read.
#[derive(Debug)]
pub struct Head {
    /// The request.
    pub request: Parts,
    /// The bytes of the 101 response, or the status of the refusal.
    pub response: Result<Vec<u8>, u16>,
}

/// The result of reading a head.
enum Read {
    /// The request, and the length of its head.
    Head(Box<Parts>, usize),
    /// The bytes are left to hyper.
    Refused,
    /// More bytes are needed.
    Incomplete(FirstBytes),
}

/// Reads pieces of a head until the head is complete or refused.
fn read<'a>(mut bytes: FirstBytes, pieces: impl Iterator<Item = &'a [u8]>) -> Read {
    for mut piece in pieces {
        // The end of a piece looks like the end of the stream. `bytes` keeps what it has read.
        let reading = pin!(bytes.read(&mut piece));
        let polled = reading.poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(Ok(first)) = polled {
            return match first.head {
                Some(head) => Read::Head(head.request, first.bytes.len() - head.rest.len()),
                None => Read::Refused,
            };
        }
    }
    Read::Incomplete(bytes)
}

/// Reads a request head, and checks it as a handshake. The input is [`Pieces`] of a request.
///
/// - A head is read to the same request, and ends at the same byte, however it is split.
/// - A refused head is refused however it is split, at the latest at the end of the next line.
/// - An incomplete head is shorter than `MAX_HEAD`.
/// - The response is the same for harpia and hyper.
pub fn head(input: &[u8]) -> Option<Head> {
    let pieces = Pieces::new(input);
    let whole = read(FirstBytes::default(), [pieces.whole].into_iter());
    let split = read(FirstBytes::default(), pieces.iter());
    let sent = pieces.whole.iter();
    let sent = sent
        .skip_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let request = match (whole, split) {
        (Read::Head(one, length), Read::Head(other, other_length)) => {
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
            assert_eq!(length, other_length);
            assert!(length <= MAX_HEAD.min(sent));
            assert!(one.headers.len() <= MAX_HEADERS);
            one
        }
        (Read::Refused, Read::Refused) => return None,
        (Read::Incomplete(_), Read::Incomplete(_)) => {
            assert!(sent < MAX_HEAD);
            return None;
        }
        // The parser looks at the first bytes, and then only at whole lines.
        (Read::Refused, Read::Incomplete(bytes)) | (Read::Incomplete(bytes), Read::Refused) => {
            assert!(matches!(
                read(bytes, [&b"\n"[..]].into_iter()),
                Read::Refused
            ));
            return None;
        }
        _ => panic!("whether a head is read depends on how it is split"),
    };
    let rules = Rules {
        origins: Origins::Same,
        protocols: vec!["chat".into(), "superchat".into()],
        compression: true,
    };
    let response = match handshake::check(&request, &rules) {
        Ok(negotiated) => {
            assert_eq!(negotiated.to_response().status(), 101);
            let bytes = negotiated.to_bytes();
            for (name, value) in negotiated.to_response().headers() {
                let value = value.to_str().expect("text");
                let line = format!("\r\n{name}: {value}\r\n").to_ascii_lowercase();
                let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
                assert!(text.contains(&line), "{line} is not in {text}");
            }
            Ok(bytes)
        }
        Err(fault) => Err(fault.status().as_u16()),
    };
    Some(Head {
        request: *request,
        response,
    })
}
