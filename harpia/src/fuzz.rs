//! What the fuzz targets in `harpia/fuzz` call: one function for each, which asserts what must hold
//! for every input. It returns what the target compares with another implementation.
//!
//! Inputs are text where possible, so that seeds can be read and edited. This module is not a
//! stable interface. It uses no dependency that harpia does not have anyway, because `cfg(fuzzing)`
//! is also set when a user fuzzes a program that depends on harpia.

mod cookies;
mod decoder;
mod deflate;
mod forwarded;
mod head;
mod origins;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use cookies::cookies;
pub use decoder::{FrameEvent, Frames, decoder};
pub use deflate::{Inflated, deflate};
pub use forwarded::forwarded;
pub use head::{Head, head};
pub use origins::{Decision, origins};

/// An input in pieces, as a socket may deliver it.
///
/// The first byte is the number of sizes, modulo 8. The sizes follow, one byte each. The pieces
/// repeat these sizes. Without a size, each piece is one byte.
#[derive(Clone, Copy, Debug)]
struct Pieces<'a> {
    sizes: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Pieces<'a> {
    fn new(input: &'a [u8]) -> Self {
        let (count, rest) = input.split_first().unwrap_or((&0, &[]));
        let (sizes, whole) = rest.split_at(rest.len().min(usize::from(count % 8)));
        Self { sizes, whole }
    }

    fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let sizes = if self.sizes.is_empty() {
            &[0]
        } else {
            self.sizes
        };
        let mut rest = self.whole;
        sizes.iter().cycle().map_while(move |&size| {
            let (piece, after) = rest.split_at(rest.len().min(1 + usize::from(size)));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// Reads the lines of an input as headers.
fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
            headers.append(name, value);
        }
    }
    headers
}
