//! The flusher: the one thread that takes the log's records in rounds and delivers them.
//!
//! A thread and not a task, because a round over thousands of sockets would hold up everything
//! else on its worker. It runs no user code and drops no user's data.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{TICK, unix_seconds};

use super::Hub;
use super::log::Record;
use super::sweep::Sweep;
use super::table::{Effect, Table};

/// Starts the thread. It ends with the record `Stop`, which the server appends when its last
/// connection is gone, or when it is dropped.
pub(super) fn spawn(hub: Hub) -> io::Result<()> {
    thread::Builder::new()
        .name("harpia-flusher".into())
        .spawn(move || {
            let mut flusher = Flusher::new(&hub);
            flusher.run();
            flusher.stop();
        })
        .map(drop)
}

pub(super) struct Flusher<'a> {
    hub: &'a Hub,
    table: Table,
    sweep: Sweep,
}

impl<'a> Flusher<'a> {
    pub(super) fn new(hub: &'a Hub) -> Self {
        Self {
            hub,
            table: Table::new(Arc::clone(&hub.shared.counters)),
            sweep: Sweep::default(),
        }
    }

    fn run(&mut self) {
        let mut records = Vec::new();
        loop {
            let (patience, owing) = (self.patience(), self.owing());
            self.hub.shared.log.take(&mut records, patience, owing);
            let start = Instant::now();
            if !records.is_empty() && self.round(&mut records) {
                return;
            }
            let now = self.hub.shared.clock.now();
            self.sweep.run(&mut self.table, now, unix_seconds);
            pause(start.elapsed());
        }
    }

    /// Without connections there is nothing to sweep, so the thread sleeps for good.
    pub(super) fn patience(&self) -> Option<Duration> {
        (!self.table.is_empty()).then_some(TICK)
    }

    /// Says whether some connection whose `open` runs is owed messages.
    pub(super) fn owing(&self) -> bool {
        self.table.is_owing()
    }

    /// Applies what came last. Connections that are still there go on by themselves, to their transport.
    pub(super) fn stop(&mut self) {
        let mut last = self.hub.shared.log.stop();
        self.round(&mut last);
        self.table.detach_all();
    }

    /// Applies all records, then delivers. Returns whether to stop.
    pub(super) fn round(&mut self, records: &mut Vec<Record>) -> bool {
        self.table.begin_round();
        let mut stop = false;
        for record in records.drain(..) {
            match self.table.apply(record) {
                Effect::None => {}
                Effect::Left(id) => self.hub.shared.log.release(id),
                Effect::Stop => stop = true,
            }
        }
        self.table.deliver();
        stop
    }
}

/// Waits a fifth of what the round took. Short pauses let messages gather, so that the next round
/// writes more of them at once; without it batches swing between small and whole.
fn pause(round: Duration) {
    let pause = (round / 5).min(LONGEST_PAUSE);
    if pause > SHORTEST_PAUSE {
        thread::park_timeout(pause);
    }
}

const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// Below this, falling asleep costs more than it brings.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
