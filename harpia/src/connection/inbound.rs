//! What comes in: from the socket through the thread's read buffer into the decoder.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::protocol::{Decoder, Event, Violation};
use crate::write_end::WriteEnd;

/// What a connection keeps of its input between two polls: nothing, when all of it is decoded.
pub(super) struct Inbound {
    decoder: Decoder,
    /// Bytes that came while a handler waited.
    rest: Bytes,
}

/// The thread's read buffer, lent to a connection for one poll, with what is in it.
pub(super) struct Window {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
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
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Inbound {
    /// Begins with a copy of what came right behind the handshake: even an empty piece of the
    /// buffer that hyper read the handshake into would keep all of it.
    pub(super) fn new(first_bytes: &[u8]) -> Self {
        Self {
            decoder: Decoder::new(),
            rest: Bytes::copy_from_slice(first_bytes),
        }
    }

    /// Decodes the next event, reading where nothing is buffered.
    pub(super) fn next(
        &mut self,
        context: &mut Context<'_>,
        end: &WriteEnd,
        window: &mut Window,
        max_message: usize,
    ) -> Input {
        if !self.rest.is_empty() {
            window.load(&std::mem::take(&mut self.rest));
        }
        while !window.is_empty() {
            let bytes = &mut window.buffer[window.start..window.end];
            match self.decoder.decode(bytes, max_message) {
                Ok((taken, event)) => {
                    window.start += taken;
                    if let Some(event) = event {
                        return Input::Event(event);
                    }
                }
                Err(violation) => return Input::Violation(violation),
            }
        }
        match window.poll_fill(context, end) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => Input::Ended,
            Poll::Ready(Ok(_)) => Input::Heard,
            Poll::Pending => Input::Wait,
        }
    }
}

impl Window {
    pub(super) fn lend() -> Self {
        Self {
            buffer: BUFFER.take(),
            start: 0,
            end: 0,
            reads: 0,
            corked: false,
        }
    }

    /// Gives the buffer back, and keeps a copy of what was not decoded.
    pub(super) fn give_back(self, inbound: &mut Inbound) {
        if !self.is_empty() {
            inbound.rest = Bytes::copy_from_slice(&self.buffer[self.start..self.end]);
        }
        BUFFER.set(self.buffer);
    }

    /// Corks the way out once, while more of the peer's own input is buffered. The poll's end
    /// uncorks.
    #[inline]
    pub(super) fn cork(&mut self, end: &WriteEnd) {
        if !self.corked && !self.is_empty() {
            self.corked = true;
            end.cork();
        }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn load(&mut self, rest: &[u8]) {
        if self.buffer.len() < rest.len().max(READ_BUFFER) {
            self.buffer.resize(rest.len().max(READ_BUFFER), 0);
        }
        self.buffer[..rest.len()].copy_from_slice(rest);
        (self.start, self.end) = (0, rest.len());
    }

    fn poll_fill(&mut self, context: &mut Context<'_>, end: &WriteEnd) -> Poll<io::Result<usize>> {
        if self.reads == READS_PER_POLL {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads += 1;
        if self.buffer.is_empty() {
            self.buffer.resize(READ_BUFFER, 0);
        }
        let polled = end.poll_read(context, &mut self.buffer);
        if let Poll::Ready(Ok(read)) = polled {
            (self.start, self.end) = (0, read);
        }
        polled
    }
}

/// Reads and forgets, until the peer has closed its side.
pub(super) fn discard(context: &mut Context<'_>, end: &WriteEnd, window: &mut Window) -> Poll<()> {
    loop {
        match window.poll_fill(context, end) {
            Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(_)) => window.end = window.start,
            Poll::Pending => return Poll::Pending,
        }
    }
}
