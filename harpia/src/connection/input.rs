//! Reading: bytes from the socket go through the thread's read buffer into the decoder.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::budget::{Budget, Charge};
use crate::protocol::{Age, DecodeLimits, Decoded, Decoder, Event, Skip, Violation};
use crate::transport::Transport;

use super::closing::Closing;

/// The input that a connection keeps between two polls. It is empty when everything is decoded.
pub(super) struct InputState {
    decoder: Decoder,
    /// Bytes that were read but not decoded, because a handler waits.
    undecoded: Option<Box<Undecoded>>,
}

struct Undecoded {
    unread: Unread,
    charge: Charge,
}

/// A buffer and the range of it that is not decoded yet.
#[derive(Default)]
struct Unread {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// The thread's read buffer, lent to a connection for one poll.
pub(super) struct ReadBuffer {
    unread: Unread,
    /// The number of reads in this poll.
    reads: usize,
    /// Whether the transport was corked in this poll.
    corked: bool,
    /// What the input has cost that was decoded in this poll, in bytes.
    cost: usize,
}

/// The result of reading and decoding once.
pub(super) enum Input {
    Event(Event),
    /// Bytes were read. The next call decodes them.
    Heard,
    Violation(Violation),
    /// The peer has closed its side, or the socket failed.
    Ended,
    Wait,
}

/// The result of discarding input once.
pub(super) enum Discarded {
    Some,
    /// More than a peer may send while its connection closes.
    TooMuch,
    /// The peer has closed its side, or the socket failed.
    Ended,
    Wait,
}

/// The size of the read buffer, in bytes: many small messages, and a quarter of the usual receive
/// buffer of a socket.
const READ_BUFFER: usize = 64 * 1024;

/// The number of reads in one poll, after which the worker thread runs other tasks.
const READS_PER_POLL: usize = 16;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl InputState {
    /// Begins with a copy of the bytes that came after the handshake.
    pub(super) fn new(first_bytes: &[u8], budget: &Arc<Budget>) -> Self {
        Self {
            decoder: Decoder::new(),
            undecoded: Undecoded::keep(first_bytes, budget),
        }
    }

    /// Decodes the next event. Reads from the socket if no bytes are buffered.
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
            if let Some(input) =
                undecoded
                    .unread
                    .decode(&mut self.decoder, limits, &mut buffer.cost)
            {
                return input;
            }
            self.undecoded = None;
        }
        if let Some(input) = buffer
            .unread
            .decode(&mut self.decoder, limits, &mut buffer.cost)
        {
            return input;
        }
        match buffer.poll_fill(context, transport) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => Input::Ended,
            Poll::Ready(Ok(_)) => Input::Heard,
            Poll::Pending => Input::Wait,
        }
    }

    /// Returns whether everything that was read is decoded or discarded.
    pub(super) fn is_empty(&self, buffer: &ReadBuffer) -> bool {
        self.undecoded.is_none() && buffer.unread.is_empty()
    }

    /// Returns whether a part of a message has been decoded.
    #[inline]
    pub(super) fn is_unfinished(&self) -> bool {
        !self.decoder.is_between_messages()
    }

    /// Returns the age of the unfinished message, or `None` if there is none.
    pub(super) fn age(&mut self) -> Option<&mut Age> {
        self.decoder.age()
    }

    /// Stops decoding, and returns the [`Skip`] that goes on at this position.
    pub(super) fn stop(&mut self) -> Skip {
        self.decoder.stop()
    }

    /// Takes what was read and not decoded, or reads once. Gives the bytes to `closing`.
    pub(super) fn discard(
        &mut self,
        context: &mut Context<'_>,
        transport: &Transport,
        buffer: &mut ReadBuffer,
        closing: &mut Closing,
    ) -> Discarded {
        if let Some(mut undecoded) = self.undecoded.take()
            && closing.take(undecoded.unread.bytes())
        {
            return Discarded::TooMuch;
        }
        let polled = match buffer.unread.is_empty() {
            true => buffer.poll_fill(context, transport),
            false => Poll::Ready(Ok(buffer.unread.bytes().len())),
        };
        match polled {
            Poll::Pending => Discarded::Wait,
            Poll::Ready(Ok(0) | Err(_)) => Discarded::Ended,
            Poll::Ready(Ok(_)) => {
                let is_too_much = closing.take(buffer.unread.bytes());
                buffer.unread.end = buffer.unread.start;
                // Ends the reads of this poll, so that a flood does not hold up other connections
                // of this thread.
                buffer.reads = READS_PER_POLL;
                match is_too_much {
                    true => Discarded::TooMuch,
                    false => Discarded::Some,
                }
            }
        }
    }

    /// Moves the charge for kept bytes to another budget, if that budget has room.
    pub(super) fn charge_to(&mut self, budget: &Arc<Budget>) {
        if let Some(undecoded) = &mut self.undecoded {
            undecoded.charge.move_to(budget);
        }
    }

    /// Returns whether the peer's next input is a close frame or the end of the stream.
    ///
    /// Consumes nothing. Looks only at the first byte after the last message.
    pub(super) fn is_close_next(
        &self,
        context: &mut Context<'_>,
        transport: &Transport,
        buffer: &ReadBuffer,
    ) -> bool {
        if !self.decoder.is_between_messages() {
            // An earlier look found a close frame, and only a part of it has been decoded.
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

    /// Corks the transport, once per poll, if more input of this peer is buffered. The replies to
    /// several messages then go out in one write. `poll` uncorks the transport before it returns.
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

    /// Returns the buffer to the thread, and keeps a copy of the bytes that are not decoded.
    pub(super) fn give_back(&mut self, buffer: ReadBuffer, budget: &Arc<Budget>) {
        let ReadBuffer { mut unread, .. } = buffer;
        if self.undecoded.is_none() {
            self.undecoded = Undecoded::keep(unread.bytes(), budget);
        }
        BUFFER.set(unread.buffer);
    }
}

/// Returns the limits for messages of an authenticated client.
pub(super) fn limits<'a>(transport: &Transport, budget: &'a Arc<Budget>) -> DecodeLimits<'a> {
    DecodeLimits {
        max_message: transport.limits().max_message,
        deflate: transport.accepts_deflated(),
        budget,
    }
}

/// Returns whether a frame with this first byte is a close frame (RFC 6455 section 5.2).
fn is_close(first: u8) -> bool {
    first & 0x0f == 0x08
}

impl Undecoded {
    /// Copies the bytes, if there are any. If the budget has no room, keeps an empty copy instead.
    /// [`is_refused`](Self::is_refused) then returns `true`.
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

    /// Returns whether the budget had no room for the bytes.
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

    /// Decodes up to the next event or violation. Returns `None` if the bytes hold neither.
    ///
    /// Adds to `cost` what the decoded bytes cost.
    fn decode(
        &mut self,
        decoder: &mut Decoder,
        limits: &DecodeLimits<'_>,
        cost: &mut usize,
    ) -> Option<Input> {
        while !self.is_empty() {
            match decoder.decode(self.bytes(), limits) {
                Ok(Decoded {
                    taken,
                    event,
                    cost: added,
                }) => {
                    self.start += taken;
                    *cost = cost.saturating_add(added);
                    if let Some(event) = event {
                        return Some(Input::Event(event));
                    }
                }
                Err(violation) => {
                    self.start += decoder.taken_before_violation();
                    return Some(Input::Violation(violation));
                }
            }
        }
        None
    }
}

impl ReadBuffer {
    /// Takes the thread's buffer. [`InputState::give_back`] returns it.
    pub(super) fn lend() -> Self {
        Self {
            unread: Unread {
                buffer: BUFFER.take(),
                start: 0,
                end: 0,
            },
            reads: 0,
            corked: false,
            cost: 0,
        }
    }

    /// Returns what the input has cost since it was taken last, in bytes.
    #[inline]
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Takes what the input has cost since the last call, in bytes.
    #[inline]
    pub(super) fn take_cost(&mut self) -> usize {
        std::mem::take(&mut self.cost)
    }

    /// Reads once into the empty buffer. Returns `Ready(Ok(0))` when the peer has closed its side.
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::task::Waker;

    use crate::id::ConnectionId;
    use crate::limits::Limits;
    use crate::transport::test_peer::{TestPeer, TestSockets};

    use super::*;

    /// Returns whether a close is next after `act`. Looks twice, to check that a look consumes
    /// nothing.
    fn is_close_next(act: impl FnOnce(&TestPeer)) -> bool {
        let wire = TestSockets::new();
        let (transport, peer) = wire.wide(ConnectionId::new(0, 0), Limits::default(), None);
        act(&peer);
        wire.turn();
        let inbound = InputState::new(&[], &Arc::new(Budget::new(0)));
        let look = || {
            let mut context = Context::from_waker(Waker::noop());
            inbound.is_close_next(&mut context, &transport, &ReadBuffer::lend())
        };
        let first = look();
        assert_eq!(first, look());
        first
    }

    #[test]
    fn an_unread_close_frame_is_detected() {
        assert!(is_close_next(|peer| peer.write(&[0x88, 0x80, 0, 0, 0, 0])));
    }

    #[test]
    fn a_closed_stream_is_detected() {
        assert!(is_close_next(TestPeer::close));
    }

    #[test]
    fn a_silent_peer_and_an_unread_message_are_not_taken_for_a_close() {
        assert!(!is_close_next(|_| {}));
        assert!(!is_close_next(|peer| peer.write(&[0x81, 0x80, 0, 0, 0, 0])));
    }
}
