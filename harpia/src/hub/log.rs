//! The log: all that changes who gets what, and all that is got, in one order.
//!
//! Appending is one short lock. The log is bounded in bytes: when it is full, a connection that
//! broadcasts is not read until the next round, and what is published by hand is dropped. Joins
//! and leaves always fit: there are no more of them than connections.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytestring::ByteString;
use tokio::sync::{Notify, oneshot};

use crate::close::{Close, CloseFrame};
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::transport::{SendStatus, Transport};

use super::RouteId;

/// One entry of the log.
#[derive(Debug)]
pub(crate) enum Record {
    /// A new connection. Without `auth` it is owed every broadcast from here on.
    Enter {
        transport: Arc<Transport>,
        route: RouteId,
        authenticates: bool,
    },
    /// `auth` has let it in: it is owed every broadcast and its topics from here on.
    Open(Slot),
    /// `open` has failed, or its own handler closed it: it gets nothing of what it is owed.
    Refuse(Slot),
    /// `open` has returned `Ok`: it gets what it is owed, and its early publishes go out.
    Activate(Slot, PendingFrames),
    Subscribe(Slot, ByteString),
    Unsubscribe(Slot, ByteString),
    Publish {
        channel: Channel,
        from: Option<Slot>,
        frame: Encoded,
    },
    PublishExcept {
        topic: ByteString,
        frame: Encoded,
        except: ConnectionId,
    },
    /// Asks for the active subscribers of a topic, at this position.
    Subscribers(ByteString, SubscribersReply),
    /// No more broadcasts. Whoever closes a connection may come to append this when its place is
    /// another's already.
    Deactivate(ConnectionId),
    /// The close frame, behind what was broadcast so far.
    SendClose(Slot, CloseFrame),
    Leave(Slot),
    Disconnect(ConnectionId, Close),
    DisconnectTopic(ByteString, CloseFrame),
    Shutdown,
    Cancel {
        with_close: bool,
    },
    Stop,
}

/// What a connection has published before it was active, and to which topics.
pub(crate) type PendingFrames = Vec<(ByteString, Encoded)>;

/// Takes a topic's active subscribers, which all who ask in one round share.
pub(crate) type SubscribersReply = oneshot::Sender<Arc<[ConnectionId]>>;

/// Whom a message is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Channel {
    Server,
    Route(RouteId),
    Topic(ByteString),
}

pub(super) struct Log {
    state: Mutex<LogState>,
    /// Wakes the flusher.
    news: Condvar,
    full: AtomicBool,
    shutdown: Notify,
    shutting_down: AtomicBool,
}

struct LogState {
    records: Vec<Record>,
    bytes: usize,
    /// Places that were left, with the generation that the next one there gets.
    free: Vec<(Slot, u32)>,
    next: Slot,
    /// Tasks that wait for room.
    waiting: HashMap<Slot, Waker>,
    flusher: FlusherState,
    /// Since the last round, some connection whose `open` runs is owed messages. Then its activation
    /// is urgent, and nothing may be written past the log: a close frame would overtake them.
    owing: bool,
    stopped: bool,
}

/// What the flusher is doing. Only a round that is urgent, or the first connection, wakes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FlusherState {
    /// In a round, or about to begin one.
    Awake,
    /// Until the next tick of the sweep at the latest; all that is urgent is delivered.
    Dozes,
    /// There is nobody to sweep.
    Sleeps,
}

/// What may wait to be distributed. A round takes all of it, so at most twice this is held.
const CAPACITY: usize = 16 * 1024 * 1024;

impl Record {
    /// Says whether somebody waits for its round. The others only have to be there in order when
    /// one comes, and spare a wake-up for each connection that comes and goes.
    fn is_urgent(&self, owing: bool) -> bool {
        match self {
            Self::Activate(_, early) => owing || !early.is_empty(),
            Self::Enter { .. }
            | Self::Open(_)
            | Self::Refuse(_)
            | Self::Subscribe(..)
            | Self::Unsubscribe(..)
            | Self::Deactivate(_)
            | Self::Leave(_) => false,
            _ => true,
        }
    }

    /// What it counts as, in bytes.
    fn held(&self) -> usize {
        let payload = match self {
            Self::Publish { channel, frame, .. } => frame.held() + channel.held(),
            Self::PublishExcept { topic, frame, .. } => frame.held() + topic.len(),
            Self::Activate(_, early) => early
                .iter()
                .map(|(topic, frame)| topic.len() + frame.held())
                .sum(),
            Self::Subscribe(_, topic)
            | Self::Unsubscribe(_, topic)
            | Self::Subscribers(topic, _) => topic.len(),
            Self::SendClose(_, frame) => frame.reason.len(),
            Self::Disconnect(_, close) => close.frame.reason.len(),
            Self::DisconnectTopic(topic, frame) => topic.len() + frame.reason.len(),
            _ => 0,
        };
        size_of::<Self>() + payload
    }
}

impl Channel {
    fn held(&self) -> usize {
        match self {
            Self::Topic(topic) => topic.len(),
            Self::Server | Self::Route(_) => 0,
        }
    }
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(LogState {
                records: Vec::new(),
                bytes: 0,
                free: Vec::new(),
                next: 0,
                waiting: HashMap::new(),
                flusher: FlusherState::Awake,
                owing: false,
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

    /// Appends what always fits. Returns false when nothing is applied any more.
    pub(super) fn append(&self, record: Record) -> bool {
        if matches!(record, Record::Shutdown) {
            self.shutting_down.store(true, Ordering::Release);
            self.shutdown.notify_waiters();
        }
        self.push(self.lock(), record)
    }

    /// Appends what is published by hand, or drops it where there is no room.
    pub(super) fn publish(
        &self,
        channel: Channel,
        from: Option<Slot>,
        frame: Encoded,
    ) -> SendStatus {
        self.publish_record(Record::Publish {
            channel,
            from,
            frame,
        })
    }

    /// As [`publish`](Self::publish), for a record that carries a message.
    pub(super) fn publish_record(&self, record: Record) -> SendStatus {
        let state = self.lock();
        if state.stopped {
            return SendStatus::Closed;
        }
        if state.bytes >= CAPACITY {
            return SendStatus::Dropped;
        }
        self.push(state, record);
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
        let record = Record::Publish {
            channel,
            from: Some(from),
            frame,
        };
        self.push(state, record);
        Ok(())
    }

    /// Says that all that was published is delivered and nobody is owed any of it, so that what is
    /// written now comes after it.
    pub(super) fn is_delivered(&self) -> bool {
        let state = self.lock();
        state.flusher != FlusherState::Awake && !state.owing
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        !self.full.load(Ordering::Acquire)
    }

    /// Waits until there is room.
    #[cold]
    pub(super) fn poll_room(&self, context: &mut Context<'_>, slot: Slot) -> Poll<()> {
        let mut state = self.lock();
        if state.bytes < CAPACITY || state.stopped {
            return Poll::Ready(());
        }
        state.waiting.insert(slot, context.waker().clone());
        Poll::Pending
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Acquire)
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

    /// Moves all records into `into`, which is empty. Waits for an urgent one, for at most this
    /// long; `None`, when nobody is there to sweep: for any at all. `owing` says whether the last
    /// round left some connection owed messages.
    pub(super) fn take(&self, into: &mut Vec<Record>, patience: Option<Duration>, owing: bool) {
        let mut state = self.lock();
        state.owing = owing;
        state = match patience {
            Some(patience)
                if state.bytes < CAPACITY
                    && !state.records.iter().any(|one| one.is_urgent(owing)) =>
            {
                state.flusher = FlusherState::Dozes;
                let woken = self.news.wait_timeout(state, patience);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None if state.records.is_empty() => {
                state.flusher = FlusherState::Sleeps;
                let woken = self.news.wait(state);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
            _ => state,
        };
        state.flusher = FlusherState::Awake;
        std::mem::swap(&mut state.records, into);
        state.bytes = 0;
        self.full.store(false, Ordering::Release);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Nothing is taken any more; whoever waits for room goes on. Returns what came last.
    pub(super) fn stop(&self) -> Vec<Record> {
        let mut state = self.lock();
        state.stopped = true;
        let waiting = std::mem::take(&mut state.waiting);
        let last = std::mem::take(&mut state.records);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
        last
    }

    fn push(&self, mut state: MutexGuard<'_, LogState>, record: Record) -> bool {
        if state.stopped {
            return false;
        }
        let is_urgent = record.is_urgent(state.owing);
        state.bytes += record.held();
        state.records.push(record);
        if state.bytes >= CAPACITY {
            self.full.store(true, Ordering::Release);
        }
        let wake = match state.flusher {
            FlusherState::Awake => false,
            FlusherState::Dozes => is_urgent || state.bytes >= CAPACITY,
            FlusherState::Sleeps => true,
        };
        if wake {
            state.flusher = FlusherState::Awake;
        }
        drop(state);
        if wake {
            self.news.notify_one();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        // No panic can leave the state half-way: only pushes and swaps happen under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the micro-benchmarks.
#[cfg(feature = "bench")]
pub(crate) mod bench {
    use std::fmt;

    use crate::message::Message;

    use super::*;

    pub(crate) struct LogBench {
        log: Log,
        taken: Vec<Record>,
    }

    impl LogBench {
        pub(crate) fn new() -> Self {
            Self {
                log: Log::new(),
                taken: Vec::new(),
            }
        }

        pub(crate) fn append(&mut self, message: &Message, count: usize) -> usize {
            let frame = Encoded::new(message, None);
            for _ in 0..count {
                self.log.publish(Channel::Server, Some(0), frame.clone());
            }
            self.taken.clear();
            self.log.take(&mut self.taken, None, false);
            self.taken.len()
        }
    }

    impl fmt::Debug for LogBench {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("LogBench").finish_non_exhaustive()
        }
    }
}

#[cfg(test)]
mod tests;
