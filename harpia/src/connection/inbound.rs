//! What comes in: from the socket through the thread's read buffer into the decoder.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::budget::{Budget, Charge};
use crate::protocol::{Decoder, Event, Terms, Violation};
use crate::write_end::WriteEnd;

/// What a connection keeps of its input between two polls: nothing, when all of it is decoded.
pub(super) struct Inbound {
    decoder: Decoder,
    /// What was read and could not be handled yet, because a handler waits.
    rest: Option<Box<Rest>>,
}

struct Rest {
    unread: Unread,
    charge: Charge,
}

/// A buffer, and the part of it that is not decoded yet.
#[derive(Default)]
struct Unread {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// The thread's read buffer, lent to a connection for one poll, with what is in it.
pub(super) struct Window {
    unread: Unread,
    reads: usize,
    corked: bool,
}

/// What became of asking for input.
pub(super) enum Input {
    Event(Event),
    /// Bytes came; there may be an event in them.
    Heard,
    Violation(Violation),
    /// The peer is gone.
    Ended,
    Wait,
}

/// One read's worth: many small messages, and a quarter of a usual receive buffer.
const READ_BUFFER: usize = 64 * 1024;

/// After so many reads other tasks of this thread get their turn.
const READS_PER_POLL: usize = 16;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Inbound {
    /// Begins with a copy of what came right behind the handshake: even an empty piece of the
    /// buffer that hyper read the handshake into would keep all of it.
    pub(super) fn new(first_bytes: &[u8], budget: &Arc<Budget>) -> Self {
        Self {
            decoder: Decoder::new(),
            rest: Rest::keep(first_bytes, budget),
        }
    }

    /// Decodes the next event, reading where nothing is buffered.
    pub(super) fn next(
        &mut self,
        context: &mut Context<'_>,
        end: &WriteEnd,
        window: &mut Window,
        terms: &Terms<'_>,
    ) -> Input {
        if let Some(rest) = &mut self.rest {
            if rest.is_refused() {
                return Input::Violation(Violation::Overload);
            }
            if let Some(input) = rest.unread.decode(&mut self.decoder, terms) {
                return input;
            }
            self.rest = None;
        }
        if let Some(input) = window.unread.decode(&mut self.decoder, terms) {
            return input;
        }
        match window.poll_fill(context, end) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => Input::Ended,
            Poll::Ready(Ok(_)) => Input::Heard,
            Poll::Pending => Input::Wait,
        }
    }

    /// Counts what is kept against another budget from here on, if it has room.
    pub(super) fn charge_to(&mut self, budget: &Arc<Budget>) {
        if let Some(rest) = &mut self.rest {
            rest.charge.move_to(budget);
        }
    }

    /// Says whether what comes next is the peer's end: its close frame, or nothing any more. Only a
    /// look behind a message: what is there stays unread.
    pub(super) fn ends_next(
        &self,
        context: &mut Context<'_>,
        end: &WriteEnd,
        window: &Window,
    ) -> bool {
        if !self.decoder.is_between_messages() {
            // A close frame that came in part.
            return true;
        }
        let unread = match &self.rest {
            Some(rest) if !rest.unread.is_empty() => &rest.unread,
            _ => &window.unread,
        };
        if !unread.is_empty() {
            return is_close(unread.buffer[unread.start]);
        }
        match end.poll_peek(context) {
            Poll::Ready(Ok(first)) => first.is_none_or(is_close),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Corks the way out once a poll, while more of the peer's own input is buffered. The poll's
    /// end uncorks.
    #[inline]
    pub(super) fn cork(&self, window: &mut Window, end: &WriteEnd) {
        let rest = self
            .rest
            .as_ref()
            .map_or(&window.unread, |rest| &rest.unread);
        if !window.corked && !rest.is_empty() {
            window.corked = true;
            end.cork();
        }
    }

    /// Gives the thread's buffer back, and keeps a copy of what was not decoded.
    pub(super) fn give_back(&mut self, window: Window, budget: &Arc<Budget>) {
        let Window { mut unread, .. } = window;
        if self.rest.is_none() {
            self.rest = Rest::keep(unread.bytes(), budget);
        }
        BUFFER.set(unread.buffer);
    }
}

/// What holds for the input of a peer that is in.
pub(super) fn terms<'a>(end: &WriteEnd, budget: &'a Arc<Budget>) -> Terms<'a> {
    Terms {
        max_message: end.limits().max_message,
        deflate: end.deflates(),
        budget,
    }
}

/// Says whether a frame that begins so is a close frame (RFC 6455 section 5.2).
fn is_close(first: u8) -> bool {
    first & 0x0f == 0x08
}

impl Rest {
    /// Keeps a copy, if there is anything to keep; without room for it, the fact that there was.
    fn keep(bytes: &[u8], budget: &Arc<Budget>) -> Option<Box<Self>> {
        if bytes.is_empty() {
            return None;
        }
        let mut charge = Charge::new(Arc::clone(budget));
        let kept = if charge.try_add(bytes.len()) {
            bytes
        } else {
            &[]
        };
        let unread = Unread {
            buffer: kept.to_vec(),
            start: 0,
            end: kept.len(),
        };
        Some(Box::new(Self { unread, charge }))
    }

    fn is_refused(&self) -> bool {
        self.charge.bytes() == 0
    }
}

impl Unread {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    /// Decodes as far as the next event, or `None` when all is decoded.
    fn decode(&mut self, decoder: &mut Decoder, terms: &Terms<'_>) -> Option<Input> {
        while !self.is_empty() {
            match decoder.decode(self.bytes(), terms) {
                Ok((taken, event)) => {
                    self.start += taken;
                    if let Some(event) = event {
                        return Some(Input::Event(event));
                    }
                }
                Err(violation) => return Some(Input::Violation(violation)),
            }
        }
        None
    }
}

impl Window {
    pub(super) fn lend() -> Self {
        Self {
            unread: Unread {
                buffer: BUFFER.take(),
                start: 0,
                end: 0,
            },
            reads: 0,
            corked: false,
        }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>, end: &WriteEnd) -> Poll<io::Result<usize>> {
        if self.reads == READS_PER_POLL {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads += 1;
        let unread = &mut self.unread;
        if unread.buffer.is_empty() {
            unread.buffer.resize(READ_BUFFER, 0);
        }
        let polled = end.poll_read(context, &mut unread.buffer);
        if let Poll::Ready(Ok(read)) = polled {
            (unread.start, unread.end) = (0, read);
        }
        polled
    }
}

/// Reads and forgets, until the peer has closed its side.
pub(super) fn discard(context: &mut Context<'_>, end: &WriteEnd, window: &mut Window) -> Poll<()> {
    loop {
        match window.poll_fill(context, end) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(_)) => window.unread.end = window.unread.start,
            Poll::Pending => return Poll::Pending,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::task::Waker;

    use crate::id::ConnectionId;
    use crate::limits::Limits;
    use crate::write_end::far_end::{FarEnd, Wire};

    use super::*;

    /// Whether the peer's end comes next, twice over: a look takes nothing.
    fn ends_next(after: impl FnOnce(&FarEnd)) -> bool {
        let wire = Wire::new();
        let (end, far) = wire.wide(ConnectionId::new(0, 0), Limits::default(), None);
        after(&far);
        wire.turn();
        let inbound = Inbound::new(&[], &Arc::new(Budget::new(0)));
        let look = || {
            let mut context = Context::from_waker(Waker::noop());
            inbound.ends_next(&mut context, &end, &Window::lend())
        };
        let first = look();
        assert_eq!(first, look());
        first
    }

    #[test]
    fn a_close_frame_that_was_not_read_is_seen() {
        assert!(ends_next(|far| far.write(&[0x88, 0x80, 0, 0, 0, 0])));
    }

    #[test]
    fn the_end_of_the_stream_is_seen() {
        assert!(ends_next(FarEnd::close));
    }

    #[test]
    fn silence_and_a_message_are_no_end() {
        assert!(!ends_next(|_| {}));
        assert!(!ends_next(|far| far.write(&[0x81, 0x80, 0, 0, 0, 0])));
    }
}
