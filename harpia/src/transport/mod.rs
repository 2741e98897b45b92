//! One connection's socket: everything that a connection sends goes through its [`Transport`].
//!
//! This module owns the socket, the cork, the outbox, backpressure, the requested close and the
//! times that the hub's sweep checks. It knows no routes and no topics, and runs no user code.
//!
//! # Invariants
//!
//! - Each write call happens under the lock, so two writers never tear a frame apart. The lock is
//!   never held across an `.await`.
//! - Only the connection's task waits for the socket and drains the outbox. Any other writer that
//!   finds the socket full leaves its bytes in the outbox and wakes the task.
//! - No frame follows a close frame.
//!
//! # States
//!
//! ```text
//!   ┌────────────────┐  the socket takes only part of a write   ┌─────────┐
//!   │      Open      │ ───────────────────────────────────────► │ Blocked │ ◄─┐ sends are added
//!   │ (corked or not)│ ◄─────────────────────────────────────── │ (Outbox)│ ──┘ to the outbox
//!   └───────┬────────┘   the task has written the whole outbox  └────┬────┘
//!           │                   ┌────────┐                           │
//!           └─────────────────► │ Closed │ ◄─────────────────────────┘
//!                               └────────┘
//!               the socket fails, `drop_outbox`, or the task ends
//! ```
//!
//! Only an open transport can be corked. `TransportState::cork` holds the cork:
//!
//! ```text
//!   cork()                 not corked → corked
//!   send()                 corked: the frame is added to the cork; a full cork is written
//!   any other write        corked: the cork is written first, and stays as an empty cork
//!   uncork()               corked → not corked: the cork is written
//!   partial write          corked → not corked: the rest goes to the outbox, Open → Blocked
//! ```

mod backpressure;
mod batch;
mod close;
mod control;
mod cork;
mod hang_up;
mod liveness;
mod outbox;
mod outgoing;
mod owed;
mod progress;
mod read;
mod signals;
mod stream;
mod timers;
mod unsent;

#[cfg(test)]
#[cfg(all(harpia_loom, unix))]
pub(crate) mod loom_tests;
#[cfg(test)]
#[cfg(unix)]
mod stress;
#[cfg(test)]
#[cfg(unix)]
pub(crate) mod test_peer;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::{Arc, PoisonError};
use std::task::Waker;

use crate::budget::{Budget, charged};
use crate::close::Close;
use crate::id::ConnectionId;
use crate::limits::Limits;
use crate::message::Message;
use crate::protocol::Form;
use crate::protocol::extension::Agreement;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard};

pub(crate) use batch::Batch;
pub(crate) use close::TransportEvent;
use cork::Cork;
use liveness::Liveness;
use outbox::Outbox;
pub(crate) use owed::Owed;
use progress::Progress;
use signals::{Signal, Signals};
pub(crate) use stream::{AsyncStream, Stream};
use timers::CloseTimers;
pub(crate) use timers::{Now, Timer};
pub(crate) use unsent::of as unsent;

/// The result of a send, a publish or a broadcast. Sending never waits.
///
/// ```
/// use harpia::prelude::*;
/// use harpia::SendStatus;
///
/// fn send_page(ws: &mut Socket, page: Vec<u8>) -> bool {
///     match ws.send(page) {
///         SendStatus::Sent => true,
///         SendStatus::Queued(bytes) => bytes < 256 * 1024,
///         _ => false,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendStatus {
    /// The message is on its way.
    ///
    /// For a send to one peer, the operating system has the message, or gets it shortly, in one
    /// write with other sends. For a publish or a broadcast, the message has its place in the
    /// order of all messages.
    Sent,
    /// The message waits because the peer reads slowly.
    ///
    /// The number is the total of bytes that wait for this peer. The `drain` handler is called when
    /// all of them are written.
    Queued(usize),
    /// The message was dropped.
    ///
    /// Either the peer's backlog is full and the route says `slow = skip`, or the server has
    /// reached its limit of messages that wait to be distributed.
    Dropped,
    /// The connection is closed or about to close. The message was dropped.
    Closed,
}

/// One connection's socket, shared by its task, the hub's table and every `Peer`.
pub(crate) struct Transport {
    stream: Stream,
    id: ConnectionId,
    /// The limits of the connection's route.
    limits: Arc<Limits>,
    /// Bounds what the outboxes of all connections hold together.
    budget: Arc<Budget>,
    /// The compression that client and server agreed on; `None` means no compression.
    agreement: Option<Agreement>,
    pub(crate) liveness: Liveness,
    pub(crate) progress: Progress,
    pub(crate) timers: CloseTimers,
    signals: Signals,
    /// Set while the hub counts the connection as active. The caller that clears it has to tell the
    /// hub.
    counted: AtomicBool,
    /// Set once a handler has published. The route's automatic broadcast does not set it.
    published: AtomicBool,
    /// How many bytes the connection has published since its task has taken this number.
    published_bytes: AtomicU32,
    /// How many messages were dropped because the backlog was full.
    skipped: AtomicU32,
    /// The task, the flusher and every `Peer` write to the same socket, so this is a lock. Only
    /// nonblocking calls are made while it is held.
    state: Mutex<TransportState>,
}

/// The part of a transport that changes under its lock.
struct TransportState {
    write_state: WriteState,
    /// Set when a close frame is queued or sent, or the socket has failed. No frame may follow.
    close_queued: bool,
    /// Set while `open` runs, until a handler or a `Peer` closes the connection. While it is set,
    /// sends go out even if the hub has requested a close.
    opening: bool,
    /// `Some` while the transport is corked. Always `None` while it is blocked.
    cork: Option<Box<Cork>>,
    /// The requested close. Boxed to keep the many connections without one small.
    close: Option<Box<Close>>,
    /// The waker of the connection's task. It keeps the task alive, and the task keeps this
    /// transport alive; `release_task` breaks the cycle.
    waker: Option<Waker>,
}

/// Where the bytes of a send go. The module documentation has the state diagram.
enum WriteState {
    /// To the socket.
    Open,
    /// To the outbox, until the task has written all of it.
    Blocked(Box<Outbox>),
    /// Nowhere: nothing is written any more.
    Closed,
}

impl Transport {
    /// Creates an open transport. `now` is the current tick.
    pub(crate) fn new(
        stream: Stream,
        id: ConnectionId,
        limits: Arc<Limits>,
        budget: Arc<Budget>,
        agreement: Option<Agreement>,
        now: u32,
    ) -> Self {
        Self {
            stream,
            id,
            limits,
            budget,
            agreement,
            liveness: Liveness::new(now),
            progress: Progress::new(now),
            timers: CloseTimers::new(),
            signals: Signals::new(),
            counted: AtomicBool::new(false),
            published: AtomicBool::new(false),
            published_bytes: AtomicU32::new(0),
            skipped: AtomicU32::new(0),
            state: Mutex::new(TransportState {
                write_state: WriteState::Open,
                close_queued: false,
                opening: false,
                cork: None,
                close: None,
                waker: None,
            }),
        }
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns whether the peer may send compressed messages.
    pub(crate) fn accepts_deflated(&self) -> bool {
        self.agreement.is_some()
    }

    /// Returns the form in which the peer receives messages that go to many peers.
    ///
    /// Such a message is compressed once, for the largest compression window. A peer with a smaller
    /// window could not read it, and receives the message uncompressed.
    pub(crate) fn form(&self) -> Form {
        match self.agreement {
            Some(agreement) if agreement.max_message() == usize::MAX => Form::Deflated,
            _ => Form::Plain,
        }
    }

    /// Returns how many messages were dropped because the backlog was full.
    pub(crate) fn skipped(&self) -> u32 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Records that a handler of the connection has published.
    pub(crate) fn set_published(&self) {
        self.published.store(true, Ordering::Relaxed);
    }

    /// Adds bytes that the connection publishes, for its `publish_rate`.
    pub(crate) fn add_published(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // A wrong sum after an overflow would need 4 GiB in one handler call.
        self.published_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the published bytes since the last call.
    #[inline]
    pub(crate) fn take_published(&self) -> usize {
        if self.published_bytes.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        self.published_bytes.swap(0, Ordering::Relaxed) as usize
    }

    pub(crate) fn has_published(&self) -> bool {
        self.published.load(Ordering::Relaxed)
    }

    /// Sends one message, on behalf of a handler or a `Peer`.
    pub(crate) fn send(&self, message: &Message) -> SendStatus {
        let outgoing = self.outgoing(message);
        let mut state = self.lock();
        if state.close_queued || (state.close.is_some() && !state.opening) {
            return SendStatus::Closed;
        }
        if let Some(cork) = &mut state.cork {
            return if cork.hold(&outgoing) {
                SendStatus::Sent
            } else {
                self.write_cork(state)
            };
        }
        match &mut state.write_state {
            WriteState::Open => match self.write_message(&outgoing) {
                Ok((written, total)) if written == total => SendStatus::Sent,
                Ok((written, _)) => {
                    let frame = charged(outgoing.into_frame(), &self.budget);
                    self.block(state, frame, written)
                }
                Err(_) => self.mark_lost(state),
            },
            WriteState::Blocked(_) => {
                let frame = charged(outgoing.into_frame(), &self.budget);
                self.queue(state, frame, || 1)
            }
            WriteState::Closed => SendStatus::Closed,
        }
    }

    /// Writes a batch of whole frames, on behalf of the flusher.
    pub(crate) fn write_batch(&self, batch: &mut Batch<'_>) -> SendStatus {
        let mut state = self.write_cork_and_lock();
        if state.close_queued {
            return SendStatus::Closed;
        }
        match &mut state.write_state {
            WriteState::Open => match self.write(&[IoSlice::new(batch.bytes())], batch.len()) {
                Ok(written) if written == batch.len() => SendStatus::Sent,
                Ok(written) => self.block(state, batch.share(&self.budget), written),
                Err(_) => self.mark_lost(state),
            },
            WriteState::Blocked(_) => {
                self.queue(state, batch.share(&self.budget), || batch.frames())
            }
            WriteState::Closed => SendStatus::Closed,
        }
    }

    /// Stores the waker of the connection's task.
    ///
    /// Race: the task checks [`has_no_events`](Self::has_no_events) while a writer on another
    /// thread blocks the transport or requests a close. In the bad order the task checks, the
    /// writer sets its signal and finds no waker, and the task parks forever. The task prevents
    /// this: it calls `attach` before it checks. Writers set the signal before they look for the
    /// waker. Either the task sees the signal, or the writer finds the waker.
    pub(crate) fn attach(&self, waker: &Waker) {
        self.stream.attach(waker);
        let mut state = self.lock();
        if !state
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            state.waker = Some(waker.clone());
        }
    }

    /// Writes until everything is written or the socket is full, and returns the bytes written.
    ///
    /// After a partial write, the loop goes on until `WouldBlock`. Only `WouldBlock` tells tokio
    /// that the socket is not writable. Without it, tokio would not wait for the operating system.
    fn write(&self, slices: &[IoSlice<'_>], total: usize) -> io::Result<usize> {
        let mut written = 0;
        let result = self.write_some(slices, total, &mut written);
        self.progress.wrote(written);
        result.map(|()| written)
    }

    fn write_some(
        &self,
        slices: &[IoSlice<'_>],
        total: usize,
        written: &mut usize,
    ) -> io::Result<()> {
        while *written < total {
            let result = match skip_written(slices, *written) {
                ([], single) => self.stream.try_write_vectored(&[IoSlice::new(single)]),
                (first, second) => {
                    let rest = [IoSlice::new(first), IoSlice::new(second)];
                    self.stream.try_write_vectored(&rest)
                }
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => *written += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Unlocks the state before it wakes the task, because the task may need the lock at once.
    fn wake(&self, state: MutexGuard<'_, TransportState>) {
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, TransportState> {
        // A poisoned lock is safe to use: no user code runs under it, so no panic leaves the state
        // half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Returns what remains of one or two slices after `written` bytes, as two slices.
fn skip_written<'a>(slices: &'a [IoSlice<'a>], written: usize) -> (&'a [u8], &'a [u8]) {
    match slices {
        [first, second] if written < first.len() => (&first[written..], second),
        [first, second] => (&[], &second[written - first.len()..]),
        [single] => (&[], &single[written..]),
        _ => (&[], &[]),
    }
}
