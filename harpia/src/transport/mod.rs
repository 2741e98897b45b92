//! The one way to a socket: whatever leaves a connection goes through its write transport.
//!
//! A write end is `Open`, `Blocked` (an [`Outbox`] holds what could not be written) or `Closed`.
//! Its lock is held across the write call and nothing else, so two writers can never tear a frame
//! apart. Who blocks it stores what is left, unlocks, and wakes the connection's task, which alone
//! waits for the socket and drains.
//!
//! It also carries what others request_close of a connection: to end, and since when its peer is silent.

mod backpressure;
mod batch;
mod close;
mod control;
mod cork;
mod liveness;
mod outbox;
mod outgoing;
mod owed;
mod read;
mod signals;
mod timers;

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

use tokio::net::TcpStream;

use crate::budget::Budget;
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
use signals::{Signal, Signals};
use timers::CloseTimers;
pub(crate) use timers::{Now, Timer};

/// What became of a message that was handed over for sending. Sending never waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendStatus {
    /// A send to one peer: the operating system has it. A publish or broadcast: it has its place in
    /// the order of all messages.
    Sent,
    /// It waits for a slow peer; so many bytes wait in all. `drain` is called when none do.
    Queued(usize),
    /// It was left out: the peer's backlog is full and the route says `slow = skip`, or the
    /// server has more to distribute than it may hold.
    Dropped,
    /// The connection is closed or about to be.
    Closed,
}

/// One connection's way out. Shared by its task, the hub's table and every `Peer`.
pub(crate) struct Transport {
    stream: TcpStream,
    id: ConnectionId,
    limits: Arc<Limits>,
    budget: Arc<Budget>,
    agreement: Option<Agreement>,
    pub(crate) liveness: Liveness,
    pub(crate) timers: CloseTimers,
    signals: Signals,
    /// Gets broadcasts and causes them. Whoever takes this away has to tell the hub.
    active: AtomicBool,
    /// Has published by hand, whatever its route broadcasts by itself.
    published: AtomicBool,
    /// How many messages were left out while the backlog was full.
    skipped: AtomicU32,
    state: Mutex<TransportState>,
}

struct TransportState {
    write_state: WriteState,
    /// A close frame is queued or sent, or the socket is gone: nothing may follow.
    close_queued: bool,
    /// `open` runs, so its sends go out although the hub has requested a close.
    opening: bool,
    /// There while it is corked, which it never is while blocked.
    cork: Option<Box<Cork>>,
    /// Boxed, as it is rare.
    close: Option<Box<Close>>,
    /// The task's waker. It keeps the task alive, which keeps this: `detach` breaks the circle.
    waker: Option<Waker>,
}

enum WriteState {
    Open,
    Blocked(Box<Outbox>),
    Closed,
}

impl Transport {
    pub(crate) fn new(
        stream: TcpStream,
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
            timers: CloseTimers::new(),
            signals: Signals::new(),
            active: AtomicBool::new(false),
            published: AtomicBool::new(false),
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

    /// Says whether the peer may send compressed messages.
    pub(crate) fn deflates(&self) -> bool {
        self.agreement.is_some()
    }

    /// Says how the peer takes what is sent to many. One that agreed to a small window gets it
    /// plain, since what fits one window does not fit another.
    pub(crate) fn form(&self) -> Form {
        match self.agreement {
            Some(agreement) if agreement.max_message() == usize::MAX => Form::Deflated,
            _ => Form::Plain,
        }
    }

    pub(crate) fn skipped(&self) -> u32 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Notes that the connection adds to the hub's log.
    pub(crate) fn set_published(&self) {
        self.published.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_published(&self) -> bool {
        self.published.load(Ordering::Relaxed)
    }

    /// Sends one message, for a handler or a `Peer`.
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
                Ok((written, _)) => self.block(state, outgoing.into_frame(), written),
                Err(_) => self.mark_lost(state),
            },
            WriteState::Blocked(_) => self.queue(state, outgoing.into_frame()),
            WriteState::Closed => SendStatus::Closed,
        }
    }

    /// Writes a batch of whole frames, for the flusher.
    pub(crate) fn write_batch(&self, batch: &mut Batch<'_>) -> SendStatus {
        let mut state = self.lock_behind_cork();
        if state.close_queued {
            return SendStatus::Closed;
        }
        match &mut state.write_state {
            WriteState::Open => match self.write(&[IoSlice::new(batch.bytes())], batch.len()) {
                Ok(written) if written == batch.len() => SendStatus::Sent,
                Ok(written) => self.block(state, batch.share(), written),
                Err(_) => self.mark_lost(state),
            },
            WriteState::Blocked(_) => self.queue(state, batch.share()),
            WriteState::Closed => SendStatus::Closed,
        }
    }

    /// Remembers whom to wake.
    pub(crate) fn attach(&self, waker: &Waker) {
        let mut state = self.lock();
        if !state
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            state.waker = Some(waker.clone());
        }
    }

    /// Writes until all is written or the socket is full. A partial write alone does not make
    /// tokio request_close the operating system again, so only a refusal ends the loop.
    fn write(&self, slices: &[IoSlice<'_>], total: usize) -> io::Result<usize> {
        let mut written = 0;
        while written < total {
            let result = match skip_written(slices, written) {
                ([], single) => self.stream.try_write(single),
                (first, second) => {
                    let rest = [IoSlice::new(first), IoSlice::new(second)];
                    self.stream.try_write_vectored(&rest)
                }
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    /// Unlocks, then wakes the task: a woken task may want the lock at once.
    fn wake(&self, state: MutexGuard<'_, TransportState>) {
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, TransportState> {
        // No panic can leave the state half-way: nothing under the lock calls foreign code.
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

/// Splits one or two slices into what is still to write, in two.
fn skip_written<'a>(slices: &'a [IoSlice<'a>], written: usize) -> (&'a [u8], &'a [u8]) {
    match slices {
        [first, second] if written < first.len() => (&first[written..], second),
        [first, second] => (&[], &second[written - first.len()..]),
        [single] => (&[], &single[written..]),
        _ => (&[], &[]),
    }
}
