//! The log: the one order of all records.
//!
//! Appending takes one short lock. The log is bounded in bytes: it is full once it has
//! `LOG_CAPACITY`, so the last message may exceed the capacity. While the log is full, connections
//! that publish are not read until the next flush round, and messages published through [`Hub`] are
//! dropped. Other records are always appended.
//!
//! [`Hub`]: super::Hub

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytestring::ByteString;
use tokio::sync::{Notify, oneshot};

use crate::id::{ConnectionId, Slot};
use crate::limits::LOG_CAPACITY;
use crate::protocol::Encoded;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::transport::SendStatus;

use super::record::{Channel, Record};

/// The records that wait for a flush round, and the slots of the table.
pub(super) struct Log {
    /// Held for pushes and swaps only, never while a socket is written.
    state: Mutex<LogState>,
    /// Wakes the flusher when it waits in [`take_records`](Log::take_records).
    flusher_wakeup: Condvar,
    /// Whether `state.bytes` has reached `LOG_CAPACITY`, readable without the lock.
    is_full: AtomicBool,
    /// Wakes the tasks that wait for a shutdown.
    shutdown: Notify,
    is_shutting_down: AtomicBool,
}

struct LogState {
    records: VecDeque<Record>,
    /// The size of `records`, in bytes.
    bytes: usize,
    /// Slots of connections that have left, each with the generation of its next id.
    free_slots: Vec<(Slot, u32)>,
    /// The lowest slot that was never used.
    next_slot: Slot,
    /// Wakers of tasks that wait for room, at most one for each connection.
    room_wakers: HashMap<Slot, Waker>,
    flusher: FlusherState,
    /// Set if the table kept messages, after the last flush round, for a connection whose `open` is
    /// running.
    ///
    /// While it is set, an activation wakes the flusher, and a close frame goes through the log. A
    /// close frame that was written directly would overtake the owed messages.
    owes_members: bool,
    is_stopped: bool,
}

/// What the flusher is doing.
///
/// ```text
///         ┌─ no waking record ──► WaitingForTick ─── a tick, a waking record, full ─┐
/// Running ┤                                                                         ├► Running
///         └─ no connections ────► WaitingForConnection ──────── any record ─────────┘
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FlusherState {
    /// The flusher is in a flush round, or about to begin one.
    Running,
    /// The flusher waits for a record that wakes it, at most until the next tick of the sweep.
    /// Everything published is delivered.
    WaitingForTick,
    /// The flusher waits for any record, without a time limit: there are no connections to sweep.
    WaitingForConnection,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(LogState {
                records: VecDeque::new(),
                bytes: 0,
                free_slots: Vec::new(),
                next_slot: 0,
                room_wakers: HashMap::new(),
                flusher: FlusherState::Running,
                owes_members: false,
                is_stopped: false,
            }),
            flusher_wakeup: Condvar::new(),
            is_full: AtomicBool::new(false),
            shutdown: Notify::new(),
            is_shutting_down: AtomicBool::new(false),
        }
    }

    /// Reserves a slot for a new connection, and returns the connection's id.
    pub(super) fn reserve(&self) -> ConnectionId {
        let mut state = self.lock();
        match state.free_slots.pop() {
            Some((slot, generation)) => ConnectionId::new(slot, generation),
            None => {
                let slot = state.next_slot;
                state.next_slot += 1;
                ConnectionId::new(slot, 0)
            }
        }
    }

    /// Frees the slot of a connection that has left the table.
    pub(super) fn release(&self, id: ConnectionId) {
        let next = (id.slot(), id.generation().wrapping_add(1));
        self.lock().free_slots.push(next);
    }

    /// Appends a record even if the log is full. Returns `false` if the log has stopped.
    pub(super) fn append(&self, record: Record) -> bool {
        if matches!(record, Record::Shutdown) {
            self.begin_shutdown();
        }
        self.push(self.lock(), record)
    }

    /// Lets [`shutdown_begun`](Self::shutdown_begun) return.
    pub(super) fn begin_shutdown(&self) {
        self.is_shutting_down.store(true, Ordering::Release);
        self.shutdown.notify_waiters();
    }

    /// Appends a message, or drops it if the log is full.
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

    /// Appends a record that carries a message, or drops it if the log is full.
    pub(super) fn publish_record(&self, record: Record) -> SendStatus {
        let state = self.lock();
        if state.is_stopped {
            return SendStatus::Closed;
        }
        if state.bytes >= LOG_CAPACITY {
            return SendStatus::Dropped;
        }
        self.push(state, record);
        SendStatus::Sent
    }

    /// Appends a connection's message, or returns it as the error if the log is full.
    ///
    /// After an error, the caller waits with [`poll_room`](Self::poll_room) and tries again.
    pub(super) fn try_publish(
        &self,
        channel: Channel,
        from: Slot,
        frame: Encoded,
    ) -> Result<(), Encoded> {
        let state = self.lock();
        if state.bytes >= LOG_CAPACITY && !state.is_stopped {
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

    /// Requests the active subscribers of a topic, and waits for the answer.
    ///
    /// Returns an empty list if the log has stopped.
    pub(super) async fn subscribers(&self, topic: ByteString) -> Arc<[ConnectionId]> {
        let (reply, answer) = oneshot::channel();
        self.append(Record::Subscribers(topic, reply));
        // A log that has stopped drops the record, and with it `reply`.
        answer.await.unwrap_or_default()
    }

    /// Returns whether every published message is delivered, and none is owed to a connection.
    ///
    /// If so, bytes that the caller writes directly to a socket come after all these messages.
    pub(super) fn is_delivered(&self) -> bool {
        let state = self.lock();
        state.flusher != FlusherState::Running && !state.owes_members
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        !self.is_full.load(Ordering::Acquire)
    }

    /// Waits until the log has room or has stopped.
    #[cold]
    pub(super) fn poll_room(&self, context: &mut Context<'_>, slot: Slot) -> Poll<()> {
        let mut state = self.lock();
        if state.bytes < LOG_CAPACITY || state.is_stopped {
            return Poll::Ready(());
        }
        state.room_wakers.insert(slot, context.waker().clone());
        Poll::Pending
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        self.is_shutting_down.load(Ordering::Acquire)
    }

    /// Waits until a shutdown has begun.
    pub(super) async fn shutdown_begun(&self) {
        let notified = self.shutdown.notified();
        let mut notified = std::pin::pin!(notified);
        // Race: this task, and `begin_shutdown` on another. If the shutdown began after this
        // task read the flag and before it registered, the notification would be lost. To prevent
        // that, this task registers before it reads the flag, and `append` sets the flag before it
        // notifies.
        notified.as_mut().enable();
        if !self.is_shutting_down.load(Ordering::Acquire) {
            notified.await;
        }
    }

    /// Waits for records, and moves them all into `records`, which must be empty.
    ///
    /// With a `timeout`, waits at most that long for a record that wakes the flusher. Without one,
    /// waits until there is any record. `owes_members` says whether, after the last flush round,
    /// the table keeps messages for a connection whose `open` is running.
    pub(super) fn take_records(
        &self,
        records: &mut VecDeque<Record>,
        timeout: Option<Duration>,
        owes_members: bool,
    ) {
        let mut state = self.lock();
        state.owes_members = owes_members;
        state = match timeout {
            Some(timeout) if !state.has_waking_record() => {
                state.flusher = FlusherState::WaitingForTick;
                let woken = self.flusher_wakeup.wait_timeout(state, timeout);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None if state.records.is_empty() => {
                state.flusher = FlusherState::WaitingForConnection;
                let woken = self.flusher_wakeup.wait(state);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
            _ => state,
        };
        state.flusher = FlusherState::Running;
        std::mem::swap(&mut state.records, records);
        state.bytes = 0;
        self.is_full.store(false, Ordering::Release);
        let wakers = std::mem::take(&mut state.room_wakers);
        drop(state);
        wakers.into_values().for_each(Waker::wake);
    }

    /// Stops the log, which accepts no more records. Tasks that wait for room go on.
    ///
    /// Returns the records that the flusher has not taken.
    pub(super) fn stop(&self) -> VecDeque<Record> {
        let mut state = self.lock();
        state.is_stopped = true;
        let wakers = std::mem::take(&mut state.room_wakers);
        let records = std::mem::take(&mut state.records);
        drop(state);
        wakers.into_values().for_each(Waker::wake);
        records
    }

    /// Appends a record, and wakes the flusher if it waits for such a record.
    fn push(&self, mut state: MutexGuard<'_, LogState>, record: Record) -> bool {
        if state.is_stopped {
            return false;
        }
        let wakes_flusher = record.wakes_flusher(state.owes_members);
        state.bytes += record.size();
        state.records.push_back(record);
        if state.bytes >= LOG_CAPACITY {
            self.is_full.store(true, Ordering::Release);
        }
        let wake = match state.flusher {
            FlusherState::Running => false,
            FlusherState::WaitingForTick => wakes_flusher || state.bytes >= LOG_CAPACITY,
            FlusherState::WaitingForConnection => true,
        };
        if wake {
            // Set here and not only by the flusher, so that the next `push` does not wake it
            // again, and `is_delivered` knows of this record at once.
            state.flusher = FlusherState::Running;
        }
        drop(state);
        if wake {
            self.flusher_wakeup.notify_one();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        // A poisoned lock is safe to use: only pushes and swaps happen under it, so a panic cannot
        // leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogState {
    fn has_waking_record(&self) -> bool {
        let mut records = self.records.iter();
        self.bytes >= LOG_CAPACITY || records.any(|record| record.wakes_flusher(self.owes_members))
    }
}

#[cfg(feature = "bench")]
pub(crate) mod bench;

#[cfg(test)]
mod tests;
