//! The one way to a socket: whatever leaves a connection goes through its write end.
//!
//! A write end is `Open`, `Blocked` (an [`Outbox`] holds what could not be written) or `Closed`.
//! Its lock is held across the write call and nothing else, so two writers can never tear a frame
//! apart. Who blocks it stores what is left, unlocks, and wakes the connection's task, which alone
//! waits for the socket and drains.
//!
//! It also carries what others ask of a connection: to end, and since when its peer is silent.

mod blocked;
mod clock;
mod control;
mod cork;
mod ending;
mod input;
mod outbox;
mod outgoing;
mod owed;
mod run;
mod timers;

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod far_end;
#[cfg(test)]
#[cfg(all(interleavings, unix))]
pub(crate) mod interleavings;
#[cfg(test)]
#[cfg(unix)]
mod stress;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::{Arc, PoisonError};
use std::task::Waker;

use tokio::net::TcpStream;

use crate::budget::Budget;
use crate::close::Ending;
use crate::id::ConnectionId;
use crate::limits::Limits;
use crate::message::Message;
use crate::protocol::Form;
use crate::protocol::extension::Agreement;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard};

use clock::Silence;
pub(crate) use clock::{Clock, TICK, ticks, unix_seconds};
use cork::Cork;
pub(crate) use ending::News;
use outbox::Outbox;
pub(crate) use owed::Owed;
pub(crate) use run::Run;
use timers::{Due, Timers};
pub(crate) use timers::{Now, Timer};

/// What became of a message that was handed over for sending. Sending never waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendStatus {
    /// The operating system has it.
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
pub(crate) struct WriteEnd {
    stream: TcpStream,
    id: ConnectionId,
    limits: Arc<Limits>,
    budget: Arc<Budget>,
    agreement: Option<Agreement>,
    pub(crate) silence: Silence,
    due: Due,
    /// Set when the task has to look at what is behind the lock.
    attention: AtomicU8,
    /// Gets broadcasts and causes them. Whoever takes this away has to tell the hub.
    active: AtomicBool,
    /// Has published by hand, whatever its route broadcasts by itself.
    published: AtomicBool,
    /// How many messages were left out while the backlog was full.
    skipped: AtomicU32,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    /// A close frame is queued or sent, or the socket is gone: nothing may follow.
    sealed: bool,
    /// There while it is corked, which it never is while blocked.
    cork: Option<Box<Cork>>,
    /// Boxed, as it is rare.
    ending: Option<Box<Ending>>,
    timers: Option<Box<Timers>>,
    /// The task's waker. It keeps the task alive, which keeps this: `detach` breaks the circle.
    waker: Option<Waker>,
}

enum Stage {
    Open,
    Blocked(Box<Outbox>),
    Closed,
}

/// The outbox has emptied, so `drain` is due.
const DRAINED: u8 = 1;
/// An ending was asked for.
const ENDING: u8 = 2;
/// The outbox holds something.
const BLOCKED: u8 = 4;
/// The deadline of the shutdown is over: handlers that wait are cancelled.
const CANCEL: u8 = 8;
/// So is the `close` handler's.
const CANCEL_CLOSE: u8 = 16;
/// The hub is gone, and with it who watched the deadlines.
const ORPHANED: u8 = 32;
/// Messages are being left out, which the task logs.
const SKIPPING: u8 = 64;

impl WriteEnd {
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
            silence: Silence::new(now),
            due: Due::default(),
            attention: AtomicU8::new(0),
            active: AtomicBool::new(false),
            published: AtomicBool::new(false),
            skipped: AtomicU32::new(0),
            state: Mutex::new(State {
                stage: Stage::Open,
                sealed: false,
                cork: None,
                ending: None,
                timers: None,
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
        if state.sealed || state.ending.is_some() {
            return SendStatus::Closed;
        }
        if let Some(cork) = &mut state.cork {
            return if cork.hold(&outgoing) {
                SendStatus::Sent
            } else {
                self.write_cork(state)
            };
        }
        match &mut state.stage {
            Stage::Open => match self.write_message(&outgoing) {
                Ok((written, total)) if written == total => SendStatus::Sent,
                Ok((written, _)) => self.block(state, outgoing.into_frame(), written),
                Err(_) => self.lose(state),
            },
            Stage::Blocked(_) => self.queue(state, outgoing.into_frame()),
            Stage::Closed => SendStatus::Closed,
        }
    }

    /// Writes a run of whole frames, for the flusher.
    pub(crate) fn write_run(&self, run: &mut Run<'_>) -> SendStatus {
        let mut state = self.lock_behind_cork();
        if state.sealed {
            return SendStatus::Closed;
        }
        match &mut state.stage {
            Stage::Open => match self.write(&[IoSlice::new(run.bytes())], run.len()) {
                Ok(written) if written == run.len() => SendStatus::Sent,
                Ok(written) => self.block(state, run.share(), written),
                Err(_) => self.lose(state),
            },
            Stage::Blocked(_) => self.queue(state, run.share()),
            Stage::Closed => SendStatus::Closed,
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
    /// tokio ask the operating system again, so only a refusal ends the loop.
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
    fn wake(&self, state: MutexGuard<'_, State>) {
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No panic can leave the state half-way: nothing under the lock calls foreign code.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for WriteEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteEnd")
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
