//! What comes in: from the socket through the thread's read buffer into the decoder.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::budget::{Budget, Charge};
use crate::protocol::{DecodeLimits, Decoder, Event, Violation};
use crate::transport::Transport;

/// What a connection keeps of its input between two polls: nothing, when all of it is decoded.
pub(super) struct InputState {
    decoder: Decoder,
    /// What was read and could not be handled yet, because a handler waits.
    undecoded: Option<Box<Undecoded>>,
}

struct Undecoded {
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
pub(super) struct ReadBuffer {
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

impl InputState {
    /// Begins with a copy of what came right behind the handshake: even an empty piece of the
    /// buffer that hyper read the handshake into would keep all of it.
    pub(super) fn new(first_bytes: &[u8], budget: &Arc<Budget>) -> Self {
        Self {
            decoder: Decoder::new(),
            undecoded: Undecoded::keep(first_bytes, budget),
        }
    }

    /// Decodes the next event, reading where nothing is buffered.
    pub(super) fn next(
        &mut self,
        context: &mut Context<'_>,
        transport: &Transport,
        buffer: &mut ReadBuffer,
        limits: &DecodeLimits<'_>,
    ) -> Input {
        if let Some(undecoded) = &mut self.undecoded {
            if undecoded.is_refused() {
                return Input::Violation(Violation::Overload);
            }
            if let Some(input) = undecoded.unread.decode(&mut self.decoder, limits) {
                return input;
            }
            self.undecoded = None;
        }
        if let Some(input) = buffer.unread.decode(&mut self.decoder, limits) {
            return input;
        }
        match buffer.poll_fill(context, transport) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => Input::Ended,
            Poll::Ready(Ok(_)) => Input::Heard,
            Poll::Pending => Input::Wait,
        }
    }

    /// Counts what is kept against another budget from here on, if it has room.
    pub(super) fn charge_to(&mut self, budget: &Arc<Budget>) {
        if let Some(undecoded) = &mut self.undecoded {
            undecoded.charge.move_to(budget);
        }
    }

    /// Says whether what comes next is the peer's end: its close frame, or nothing any more. Only a
    /// look behind a message: what is there stays unread.
    pub(super) fn ends_next(
        &self,
        context: &mut Context<'_>,
        transport: &Transport,
        buffer: &ReadBuffer,
    ) -> bool {
        if !self.decoder.is_between_messages() {
            // A close frame that came in part.
            return true;
        }
        let unread = match &self.undecoded {
            Some(undecoded) if !undecoded.unread.is_empty() => &undecoded.unread,
            _ => &buffer.unread,
        };
        if !unread.is_empty() {
            return is_close(unread.buffer[unread.start]);
        }
        match transport.poll_peek(context) {
            Poll::Ready(Ok(first)) => first.is_none_or(is_close),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Corks the way out once a poll, while more of the peer's own input is buffered. The poll's
    /// end uncorks.
    #[inline]
    pub(super) fn cork(&self, buffer: &mut ReadBuffer, transport: &Transport) {
        let undecoded = self
            .undecoded
            .as_ref()
            .map_or(&buffer.unread, |undecoded| &undecoded.unread);
        if !buffer.corked && !undecoded.is_empty() {
            buffer.corked = true;
            transport.cork();
        }
    }

    /// Gives the thread's buffer back, and keeps a copy of what was not decoded.
    pub(super) fn give_back(&mut self, buffer: ReadBuffer, budget: &Arc<Budget>) {
        let ReadBuffer { mut unread, .. } = buffer;
        if self.undecoded.is_none() {
            self.undecoded = Undecoded::keep(unread.bytes(), budget);
        }
        BUFFER.set(unread.buffer);
    }
}

/// What holds for the input of a peer that is in.
pub(super) fn limits<'a>(transport: &Transport, budget: &'a Arc<Budget>) -> DecodeLimits<'a> {
    DecodeLimits {
        max_message: transport.limits().max_message,
        deflate: transport.deflates(),
        budget,
    }
}

/// Says whether a frame that begins so is a close frame (RFC 6455 section 5.2).
fn is_close(first: u8) -> bool {
    first & 0x0f == 0x08
}

impl Undecoded {
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
    fn decode(&mut self, decoder: &mut Decoder, limits: &DecodeLimits<'_>) -> Option<Input> {
        while !self.is_empty() {
            match decoder.decode(self.bytes(), limits) {
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

impl ReadBuffer {
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

    fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        transport: &Transport,
    ) -> Poll<io::Result<usize>> {
        if self.reads == READS_PER_POLL {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads += 1;
        let unread = &mut self.unread;
        if unread.buffer.is_empty() {
            unread.buffer.resize(READ_BUFFER, 0);
        }
        let polled = transport.poll_read(context, &mut unread.buffer);
        if let Poll::Ready(Ok(read)) = polled {
            (unread.start, unread.end) = (0, read);
        }
        polled
    }
}

/// Reads and forgets, until the peer has closed its side.
pub(super) fn discard(
    context: &mut Context<'_>,
    transport: &Transport,
    buffer: &mut ReadBuffer,
) -> Poll<()> {
    loop {
        match buffer.poll_fill(context, transport) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(_)) => buffer.unread.end = buffer.unread.start,
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
    use crate::transport::test_peer::{TestPeer, Wire};

    use super::*;

    /// Whether the peer's end comes next, twice over: a look takes nothing.
    fn ends_next(after: impl FnOnce(&TestPeer)) -> bool {
        let wire = Wire::new();
        let (transport, far) = wire.wide(ConnectionId::new(0, 0), Limits::default(), None);
        after(&far);
        wire.turn();
        let inbound = InputState::new(&[], &Arc::new(Budget::new(0)));
        let look = || {
            let mut context = Context::from_waker(Waker::noop());
            inbound.ends_next(&mut context, &transport, &ReadBuffer::lend())
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
        assert!(ends_next(TestPeer::close));
    }

    #[test]
    fn silence_and_a_message_are_no_end() {
        assert!(!ends_next(|_| {}));
        assert!(!ends_next(|far| far.write(&[0x81, 0x80, 0, 0, 0, 0])));
    }
}
