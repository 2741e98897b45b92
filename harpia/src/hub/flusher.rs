//! The flusher: the one thread that takes the log's records and delivers them in flush rounds.
//!
//! The flusher is a thread and not a task. A flush round writes to thousands of sockets. On a tokio
//! worker, it would block all other tasks. The flusher runs no user code and drops no user data.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{TICK, unix_seconds};
use crate::panic_guard::{guarded, text_of};

use super::Hub;
use super::record::Record;
use super::sweep::Sweep;
use super::table::{FollowUp, Table};

/// Starts the thread.
///
/// The thread ends with the record `Stop`. The server appends this record when its last connection
/// is gone, or when the server is dropped. If it panics, the server shuts down: without this thread
/// it would accept connections and deliver nothing.
pub(super) fn spawn(hub: Hub) -> io::Result<()> {
    thread::Builder::new()
        .name("harpia-flusher".into())
        .spawn(move || {
            let mut flusher = Flusher::new(&hub);
            match guarded(|| flusher.run()) {
                Ok(()) => flusher.stop(),
                Err(panic) => {
                    hub.crash(text_of(&*panic));
                    flusher.abandon();
                }
            }
        })
        .map(drop)
}

pub(super) struct Flusher<'a> {
    hub: &'a Hub,
    table: Table,
    sweep: Sweep,
    /// The records of the current round that are not applied yet.
    records: VecDeque<Record>,
}

impl<'a> Flusher<'a> {
    pub(super) fn new(hub: &'a Hub) -> Self {
        Self {
            hub,
            table: Table::new(Arc::clone(&hub.shared.counters)),
            sweep: Sweep::default(),
            records: VecDeque::new(),
        }
    }

    /// Flushes and sweeps until the record `Stop`.
    fn run(&mut self) {
        loop {
            self.take_records();
            let start = Instant::now();
            if !self.records.is_empty() && self.flush() {
                return;
            }
            let now = self.hub.shared.clock.now();
            self.sweep.run(&mut self.table, now, unix_seconds);
            self.relieve(now);
            pause(start.elapsed());
        }
    }

    /// Waits for records, at most until the next tick if there are connections to sweep.
    pub(super) fn take_records(&mut self) {
        let timeout = (!self.table.is_empty()).then_some(TICK);
        let owes_members = self.table.owes_members();
        self.hub
            .shared
            .log
            .take_records(&mut self.records, timeout, owes_members);
    }

    /// Stops the log and applies its last records.
    ///
    /// The remaining connections close themselves, without the hub.
    pub(super) fn stop(&mut self) {
        self.records = self.hub.shared.log.stop();
        self.flush();
        self.table.detach_all();
    }

    /// Stops the log after a panic. Lets all connections close themselves, without the hub.
    ///
    /// The table may be damaged, so no record is applied any more.
    fn abandon(&mut self) {
        let waiting = self.hub.shared.log.stop();
        for record in self.records.drain(..).chain(waiting) {
            if let Record::Enter { transport, .. } = record {
                transport.detach();
            }
        }
        self.table.detach_all();
    }

    /// Makes room if the backlogs of all peers exceed their budget.
    fn relieve(&mut self, now: u32) {
        let shared = &self.hub.shared;
        if !shared.outbox_budget.is_spent() {
            return;
        }
        let clients = self.table.relieve(&shared.outbox_budget, now);
        if clients > 0
            && let Some(suppressed) = self.hub.log_limits().spent_budgets.admit()
        {
            tracing::warn!(
                clients,
                suppressed,
                "the backlogs of all clients exceed `backlog_budget`: the clients that have read \
                 nothing for longest are closed, or miss messages on a route with `slow = skip`"
            );
        }
    }

    /// Runs one flush round: applies all records, then delivers. Returns whether to stop.
    pub(super) fn flush(&mut self) -> bool {
        self.table.begin_round();
        let mut stop = false;
        // Not `drain`, which would drop the other records if one of them panics.
        while let Some(record) = self.records.pop_front() {
            match self.table.apply(record) {
                FollowUp::None => {}
                FollowUp::ReleaseSlot(id) => self.hub.shared.log.release(id),
                FollowUp::Stop => stop = true,
            }
        }
        self.table.deliver();
        stop
    }
}

/// Waits for a fifth of the time that the flush round took.
///
/// During the pause, messages gather in the log, so that the next round writes more of them at
/// once. Without the pause, the number of messages in a batch varies widely.
fn pause(round: Duration) {
    let length = (round / 5).min(MAX_PAUSE);
    if length > MIN_PAUSE {
        thread::park_timeout(length);
    }
}

/// Bounds the delay that a pause adds to a message.
const MAX_PAUSE: Duration = Duration::from_millis(2);

/// A shorter pause costs more than it saves: the thread has to fall asleep and wake up.
const MIN_PAUSE: Duration = Duration::from_micros(50);
