//! The frames of clients.

use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Budget;
use crate::message::Message;
use crate::protocol::{DecodeLimits, Decoder, Event, Skip, Skipped, Violation};

use super::Pieces;

/// What [`decoder`] has read.
#[derive(Debug)]
pub struct Frames<'a> {
    /// The frames as they were sent.
    pub sent: &'a [u8],
    /// The longest message that is allowed, in bytes.
    pub max_message: usize,
    /// Whether compressed messages are allowed.
    pub deflate: bool,
    /// The events of the frames, up to a violation.
    pub events: Vec<FrameEvent>,
    /// The rule that the frames break.
    pub violation: Option<&'static str>,
}

/// A message or a control frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FrameEvent {
    /// A whole message.
    Message(Message),
    /// A ping with its payload.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// A close frame. Its code is 1005 if it has none.
    Close(u16, String),
}

/// The events that a decoder has read from pieces.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) events: Vec<Event>,
    pub(super) violation: Option<Violation>,
    pub(super) cost: usize,
}

/// Decodes pieces, and checks the memory that the decoder takes after each step.
///
/// Without a violation before it, also checks after each piece that a [`Skip`] from here ends like
/// one that has started at the first byte.
pub(super) fn decode<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    limits: &DecodeLimits<'_>,
    max_held: usize,
) -> (Decoder, Decoded) {
    let (mut decoder, mut decoded) = (Decoder::new(), Decoded::default());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        while !rest.is_empty() {
            match decoder.decode(rest, limits) {
                Ok(step) => {
                    assert!(step.event.is_some() || step.taken == rest.len());
                    decoded.events.extend(step.event);
                    decoded.cost += step.cost;
                    rest = &mut rest[step.taken..];
                }
                Err(violation) => {
                    assert!(decoder.taken_before_violation() <= rest.len());
                    decoded.violation = Some(violation);
                    return (decoder, decoded);
                }
            }
            assert!(decoder.held() <= max_held, "{} bytes held", decoder.held());
        }
    }
    (decoder, decoded)
}

/// The memory of a decoder besides the payload of a message, in bytes: more than the size of its
/// state and the payload of a control frame.
const STATE: usize = 1024;

/// Decodes a client's frames.
///
/// The first byte chooses the limits: bit 0 allows compression, and bits 1 and 2 are the position
/// of `max_message` in a list. Then come [`Pieces`] of the frames.
///
/// - Frames decode to the same events, violation and cost, however they are split.
/// - The decoder holds at most a message of the largest size and its own state.
/// - With a small budget, the events are the first of these. The decoder then holds at most the
///   budget, and gives all of it back.
/// - A [`Skip`] finds the close frame wherever the decoder has stopped.
pub fn decoder(input: &[u8]) -> Frames<'_> {
    let (&choice, rest) = input.split_first().unwrap_or((&0, &[]));
    let max_message = [100_000, 1000, 125, 10][usize::from(choice >> 1) % 4];
    let pieces = Pieces::new(rest);
    let limits = DecodeLimits {
        max_message,
        deflate: choice & 1 == 1,
        budget: &Arc::new(Budget::new(usize::MAX)),
    };
    let max_held = 2 * max_message + STATE;
    let (_, whole) = decode([pieces.whole].into_iter(), &limits, max_held);
    let (decoder, split) = decode(pieces.iter(), &limits, max_held);
    assert_eq!(split.events, whole.events);
    assert_eq!(split.violation, whole.violation);
    assert!(
        split.violation.is_some() || split.cost == whole.cost,
        "{} {}",
        split.cost,
        whole.cost
    );
    drop(decoder);
    assert_eq!(
        Arc::strong_count(limits.budget),
        1,
        "the budget is not given back"
    );

    const BUDGET: usize = 300;
    let budget = Arc::new(Budget::new(BUDGET));
    let small = DecodeLimits {
        budget: &budget,
        ..limits
    };
    let (_, bounded) = decode(pieces.iter(), &small, BUDGET + STATE);
    assert!(whole.events.starts_with(&bounded.events));
    if bounded.violation == Some(Violation::Overload) {
        assert!(bounded.events.len() < whole.events.len() || max_message > BUDGET);
    } else {
        assert_eq!(bounded.events, whole.events);
        assert_eq!(bounded.violation, whole.violation);
    }

    check_skip(pieces, &limits);
    Frames {
        sent: pieces.whole,
        max_message,
        deflate: limits.deflate,
        events: whole.events.into_iter().map(FrameEvent::from).collect(),
        violation: whole.violation.map(Violation::rule),
    }
}

/// Checks that a [`Skip`] ends like one from the first byte, if it begins where a decoder has
/// stopped.
fn check_skip(pieces: Pieces<'_>, limits: &DecodeLimits<'_>) {
    let skip = |mut skip: Skip, pieces: &mut dyn Iterator<Item = &[u8]>| {
        let end = pieces.map(|piece| skip.take(piece));
        let mut end = end.skip_while(|skipped| *skipped == Skipped::More);
        end.next().unwrap_or(Skipped::More)
    };
    let expected = skip(Skip::default(), &mut [pieces.whole].into_iter());
    assert_eq!(skip(Skip::default(), &mut pieces.iter()), expected);
    // The sizes of the pieces choose where the decoder stops.
    let at = pieces.sizes.iter().map(|&size| usize::from(size) * 4).sum();
    if let Some((before, after)) = pieces.whole.split_at_checked(at) {
        let (mut decoder, decoded) = decode([before].into_iter(), limits, usize::MAX);
        let is_closed = decoded
            .events
            .iter()
            .any(|event| matches!(event, Event::Close(_)));
        if !is_closed && decoded.violation.is_none() {
            assert_eq!(skip(decoder.stop(), &mut [after].into_iter()), expected);
        }
    }
}

impl From<Event> for FrameEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Message(message) => Self::Message(message),
            Event::Ping(payload) => Self::Ping(payload),
            Event::Pong => Self::Pong,
            Event::Close(frame) => Self::Close(frame.code.as_u16(), frame.reason.to_string()),
        }
    }
}
