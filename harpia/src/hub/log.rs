//! The log: all that changes who gets what, and all that is got, in one order.
//!
//! Appending is one short lock. The log is bounded in bytes: when it is full, a connection that
//! broadcasts is not read until the next turn, and what is published by hand is dropped. Joins
//! and leaves always fit: there are no more of them than connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytestring::ByteString;
use tokio::sync::Notify;

use crate::close::Closing;
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;
use crate::write_end::{SendStatus, WriteEnd};

use super::RouteId;

/// One entry of the log.
#[derive(Debug)]
pub(crate) enum Record {
    Enter(Arc<WriteEnd>, RouteId),
    Activate(Slot),
    Subscribe(Slot, ByteString),
    Unsubscribe(Slot, ByteString),
    Publish {
        channel: Channel,
        from: Option<Slot>,
        frame: Encoded,
    },
    /// No more broadcasts; the close frame follows what was sent so far.
    Deactivate(Slot, Option<Closing>),
    Leave(Slot),
    Disconnect(ConnectionId, Closing),
    Shutdown,
    Cancel {
        with_close: bool,
    },
    Stop,
}

/// Whom a message is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Channel {
    Server,
    Route(RouteId),
    Topic(ByteString),
}

pub(super) struct Log {
    state: Mutex<State>,
    /// Wakes the flusher.
    news: Condvar,
    full: AtomicBool,
    shutdown: Notify,
    shutting_down: AtomicBool,
}

struct State {
    records: Vec<Record>,
    bytes: usize,
    /// Places that were left, with the generation that the next one there gets.
    free: Vec<(Slot, u32)>,
    next: Slot,
    /// Tasks that wait for room.
    waiting: Vec<Waker>,
    flusher_sleeps: bool,
    stopped: bool,
}

/// What may wait to be distributed. A turn takes all of it, so at most twice this is held.
const CAPACITY: usize = 16 * 1024 * 1024;

/// What a record counts as besides its payload.
const RECORD: usize = 64;

impl Log {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                records: Vec::new(),
                bytes: 0,
                free: Vec::new(),
                next: 0,
                waiting: Vec::new(),
                flusher_sleeps: false,
                stopped: false,
            }),
            news: Condvar::new(),
            full: AtomicBool::new(false),
            shutdown: Notify::new(),
            shutting_down: AtomicBool::new(false),
        }
    }

    /// Finds a place for a new connection.
    pub(super) fn reserve(&self) -> ConnectionId {
        let mut state = self.lock();
        match state.free.pop() {
            Some((slot, generation)) => ConnectionId::new(slot, generation),
            None => {
                let slot = state.next;
                state.next += 1;
                ConnectionId::new(slot, 0)
            }
        }
    }

    pub(super) fn release(&self, id: ConnectionId) {
        let next = (id.slot(), id.generation().wrapping_add(1));
        self.lock().free.push(next);
    }

    pub(super) fn append(&self, record: Record) {
        if matches!(record, Record::Shutdown) {
            self.shutting_down.store(true, Ordering::Release);
            self.shutdown.notify_waiters();
        }
        self.push(self.lock(), record, 0);
    }

    /// Appends what is published by hand, or drops it where there is no room.
    pub(super) fn publish(
        &self,
        channel: Channel,
        from: Option<Slot>,
        frame: Encoded,
    ) -> SendStatus {
        let state = self.lock();
        if state.stopped {
            return SendStatus::Closed;
        }
        if state.bytes >= CAPACITY {
            return SendStatus::Dropped;
        }
        let size = frame.held();
        let record = Record::Publish {
            channel,
            from,
            frame,
        };
        self.push(state, record, size);
        SendStatus::Sent
    }

    /// Appends a broadcast, or gives it back when there is no room: see [`poll_room`](Self::poll_room).
    pub(super) fn try_publish(
        &self,
        channel: Channel,
        from: Slot,
        frame: Encoded,
    ) -> Result<(), Encoded> {
        let state = self.lock();
        if state.bytes >= CAPACITY && !state.stopped {
            return Err(frame);
        }
        let size = frame.held();
        let record = Record::Publish {
            channel,
            from: Some(from),
            frame,
        };
        self.push(state, record, size);
        Ok(())
    }

    /// Waits until there is room.
    #[inline]
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        if !self.full.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        self.wait_for_room(context)
    }

    #[cold]
    fn wait_for_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.bytes < CAPACITY || state.stopped {
            return Poll::Ready(());
        }
        state.waiting.push(context.waker().clone());
        Poll::Pending
    }

    pub(super) async fn shutdown_begun(&self) {
        let notified = self.shutdown.notified();
        let mut notified = std::pin::pin!(notified);
        // Registered before the look, so that a shutdown between the two is not missed.
        notified.as_mut().enable();
        if !self.shutting_down.load(Ordering::Acquire) {
            notified.await;
        }
    }

    /// Moves all records into `into`, which is empty, waiting for some for at most this long;
    /// `None`: until there are.
    pub(super) fn take(&self, into: &mut Vec<Record>, patience: Option<Duration>) {
        let mut state = self.lock();
        if state.records.is_empty() {
            state.flusher_sleeps = true;
            state = match patience {
                Some(patience) => {
                    let woken = self.news.wait_timeout(state, patience);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .news
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
            state.flusher_sleeps = false;
        }
        std::mem::swap(&mut state.records, into);
        state.bytes = 0;
        self.full.store(false, Ordering::Release);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Nothing is delivered any more; whoever waits for room goes on.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let waiting = std::mem::take(&mut state.waiting);
        state.records = Vec::new();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn push(&self, mut state: MutexGuard<'_, State>, record: Record, payload: usize) {
        if state.stopped {
            return;
        }
        state.records.push(record);
        state.bytes += RECORD + payload;
        if state.bytes >= CAPACITY {
            self.full.store(true, Ordering::Release);
        }
        let wake = state.flusher_sleeps;
        drop(state);
        if wake {
            self.news.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No panic can leave the state half-way: only pushes and swaps happen under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crate::message::Message;

    use super::*;

    fn encoded(message: impl Into<Message>) -> Encoded {
        Encoded::new(&message.into(), None)
    }

    fn fill(log: &Log) {
        let frame = encoded(vec![0; 1024 * 1024]);
        while log.publish(Channel::Server, None, frame.clone()) == SendStatus::Sent {}
    }

    fn has_room(log: &Log) -> bool {
        let published = log.try_publish(Channel::Server, 0, encoded("x"));
        published.is_ok()
    }

    #[test]
    fn a_full_log_drops_what_is_published_by_hand_and_has_broadcasters_wait() {
        let log = Log::new();
        fill(&log);
        let dropped = log.publish(Channel::Server, None, encoded(""));
        assert_eq!(dropped, SendStatus::Dropped);
        assert!(!has_room(&log));
        assert!(log.lock().bytes < CAPACITY + 2 * 1024 * 1024);
        let mut records = Vec::new();
        log.take(&mut records, None);
        assert_eq!(records.len(), 16);
        assert!(has_room(&log));
    }

    #[test]
    fn joins_and_leaves_fit_into_a_full_log() {
        let log = Log::new();
        fill(&log);
        log.append(Record::Leave(7));
        let mut records = Vec::new();
        log.take(&mut records, None);
        assert!(matches!(records.last(), Some(Record::Leave(7))));
    }

    #[test]
    fn a_turn_wakes_those_who_wait_for_room() {
        struct Flag(AtomicBool);
        impl std::task::Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let log = Log::new();
        fill(&log);
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        assert!(log.poll_room(&mut context).is_pending());
        log.take(&mut Vec::new(), None);
        assert!(flag.0.load(Ordering::Relaxed));
        assert!(log.poll_room(&mut context).is_ready());
    }

    #[test]
    fn a_place_that_was_left_gets_another_id() {
        let log = Log::new();
        let first = log.reserve();
        log.release(first);
        let second = log.reserve();
        assert_eq!(second.slot(), first.slot());
        assert_ne!(second, first);
    }

    #[test]
    fn a_stopped_log_takes_nothing_and_lets_everyone_go_on() {
        let log = Log::new();
        fill(&log);
        log.stop();
        let closed = log.publish(Channel::Server, None, encoded(""));
        assert_eq!(closed, SendStatus::Closed);
        assert!(has_room(&log));
        assert!(log.lock().records.is_empty());
    }
}
