//! The one way to a socket: whatever leaves a connection goes through its write end.
//!
//! A write end is `Open`, `Blocked` (an [`Outbox`] holds what could not be written) or `Closed`.
//! Its lock is held across the write call and nothing else, so two writers can never tear a frame
//! apart. Who blocks it stores what is left, unlocks, and wakes the connection's task, which alone
//! waits for the socket and drains.
//!
//! It also carries what others ask of a connection: to end, and since when its peer is silent.

mod clock;
mod control;
mod cork;
mod ending;
mod input;
mod outbox;
mod outgoing;
mod run;

use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::TcpStream;

use crate::budget::Budget;
use crate::close::{CloseCode, Closing};
use crate::id::ConnectionId;
use crate::limits::{Limits, Slow};
use crate::message::Message;
use crate::protocol::extension::Agreement;
use crate::protocol::{Form, frame};

use clock::Silence;
pub(crate) use clock::{Clock, TICK, ticks};
use cork::Cork;
pub(crate) use ending::{Ending, News};
use outbox::{Full, Outbox};
pub(crate) use run::Run;

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
    /// Set when the task has to look at what is behind the lock.
    attention: AtomicU8,
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
            attention: AtomicU8::new(0),
            state: Mutex::new(State {
                stage: Stage::Open,
                sealed: false,
                cork: None,
                ending: None,
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
        let mut state = self.lock();
        if state.sealed {
            return SendStatus::Closed;
        }
        if state.holds() {
            self.write_cork(state);
            state = self.lock();
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

    /// Says whether all that was handed over is with the operating system, or never will be.
    pub(crate) fn is_flushed(&self) -> bool {
        let state = self.lock();
        state.sealed && !matches!(state.stage, Stage::Blocked(_))
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.lock().stage, Stage::Closed)
    }

    /// Writes what waits. Called by the connection's task alone, whose waker the socket keeps.
    pub(crate) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<()> {
        while self.attention.load(Ordering::Acquire) & BLOCKED != 0 {
            match self.stream.poll_write_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => self.drain(),
                Poll::Ready(Err(_)) => {
                    self.lose(self.lock());
                }
            }
        }
        Poll::Ready(())
    }

    fn drain(&self) {
        let mut state = self.lock();
        let Stage::Blocked(outbox) = &mut state.stage else {
            return;
        };
        match outbox.write_to(&self.stream) {
            Ok(false) => {}
            Ok(true) => {
                state.stage = Stage::Open;
                self.attention.fetch_and(!BLOCKED, Ordering::AcqRel);
                self.attention.fetch_or(DRAINED, Ordering::AcqRel);
            }
            Err(_) => {
                self.lose(state);
            }
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

    /// Drops whatever waits: nothing more is written.
    pub(crate) fn abandon(&self) {
        self.lose(self.lock());
    }

    /// Tells the peer that nothing follows; it may still be read.
    pub(crate) fn shut_down(&self) {
        // The peer may be gone already, and then there is nobody to tell.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Forgets the task at its end: its waker would keep it and this alive for ever.
    pub(crate) fn detach(&self) {
        let mut state = self.lock();
        state.sealed = true;
        state.stage = Stage::Closed;
        state.cork = None;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }

    /// Queues what the socket did not take: `written` bytes of the run are gone already.
    fn block(&self, mut state: MutexGuard<'_, State>, run: Bytes, written: usize) -> SendStatus {
        let outbox = Outbox::new(Arc::clone(&self.budget), run, written);
        let waiting = outbox.len();
        state.stage = Stage::Blocked(Box::new(outbox));
        // From here on all queues in the outbox; a cork beside it would overtake.
        state.cork = None;
        self.attention.fetch_or(BLOCKED, Ordering::AcqRel);
        self.wake(state);
        SendStatus::Queued(waiting)
    }

    fn queue(&self, mut state: MutexGuard<'_, State>, run: Bytes) -> SendStatus {
        let Stage::Blocked(outbox) = &mut state.stage else {
            return SendStatus::Closed;
        };
        match (outbox.push(run, self.limits.backlog), self.limits.slow) {
            (Ok(waiting), _) => SendStatus::Queued(waiting),
            (Err(Full), Slow::Skip) => SendStatus::Dropped,
            (Err(Full), Slow::Close) => {
                let closing = Closing::new(CloseCode::TRY_AGAIN, "Slow Consumer");
                outbox.drop_queue();
                outbox.push_unbounded(frame::encode_close(&closing));
                state.sealed = true;
                state
                    .ending
                    .get_or_insert_with(|| Box::new(Ending::Slow(closing)));
                self.attention.fetch_or(ENDING, Ordering::Release);
                self.wake(state);
                SendStatus::Closed
            }
        }
    }

    /// The socket is gone, and all that waited for it.
    fn lose(&self, mut state: MutexGuard<'_, State>) -> SendStatus {
        state.stage = Stage::Closed;
        state.sealed = true;
        state.ending.get_or_insert_with(|| Box::new(Ending::Lost));
        self.attention.fetch_and(!BLOCKED, Ordering::AcqRel);
        self.attention.fetch_or(ENDING, Ordering::Release);
        self.wake(state);
        SendStatus::Closed
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
