//! Echo: each connection keeps a number of its own messages on their way.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::connection::{Connection, Inbox};
use crate::handshake::{Opening, open_all};
use crate::histogram::Histogram;
use crate::meter::{measure, report_latency};
use crate::options::{Common, Timing, positive, stamped_size};
use crate::progress::Progress;
use crate::report::Report;
use crate::stamp::{Clock, Stamp};

/// The options of `loadtest echo`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Echo {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) timing: Timing,
    /// Connections, each of which sends
    #[arg(long, default_value = "64", value_parser = positive)]
    pub(crate) connections: usize,
    /// Messages that each connection has on their way
    #[arg(long, default_value = "1", value_parser = positive)]
    pub(crate) window: usize,
    /// Bytes of each message
    #[arg(long, default_value = "64", value_parser = stamped_size)]
    pub(crate) size: usize,
}

impl Echo {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let opening = Opening::new(self.common.url.clone());
        let connections = open_all(&self.common, vec![opening; self.connections]).await?;
        let echoes = Rc::new(Echoes {
            clock: Clock::start(),
            size: self.size,
            is_sending: Cell::new(true),
            tally: RefCell::new(Tally::default()),
        });
        for connection in connections {
            echoes.clone().start(connection, self.window);
        }
        let progress = Progress::counting("echo", "round trips", None, {
            let echoes = echoes.clone();
            move || echoes.tally.borrow().returned
        });
        let begin = || echoes.tally.borrow_mut().latency.clear();
        let count = || echoes.tally.borrow().returned;
        let measured = measure(self.common.server(), self.timing, begin, count).await;
        let latency = echoes.tally.borrow().latency.clone();
        echoes.is_sending.set(false);
        echoes.wait_for_the_last().await;
        drop(progress);

        let trips = measured.after - measured.before;
        let speed = trips as f64 / measured.seconds();
        let mut report = Report::default();
        report.number("round_trips_per_second", "round trips/s", speed, 0);
        report_latency(&mut report, &latency);
        measured.report_cost(&mut report, trips, "round trips");
        echoes.tally.borrow().report(&mut report);
        Ok(report)
    }
}

/// What all connections of this load share.
struct Echoes {
    clock: Clock,
    size: usize,
    is_sending: Cell<bool>,
    tally: RefCell<Tally>,
}

#[derive(Default)]
struct Tally {
    sent: u64,
    returned: u64,
    strays: u64,
    connections_lost: u64,
    latency: Histogram,
}

impl Tally {
    /// Adds what went wrong.
    fn report(&self, report: &mut Report) {
        report
            .count("lost", "lost", self.sent.saturating_sub(self.returned))
            .count("strays", "messages that nobody sent", self.strays)
            .count(
                "connections_lost",
                "connections lost",
                self.connections_lost,
            );
    }
}

impl Echoes {
    fn start(self: Rc<Self>, connection: Rc<Connection>, window: usize) {
        let mut returning = Returning {
            echoes: self.clone(),
            connection: connection.clone(),
            payload: vec![b'x'; self.size],
            read_at: None,
        };
        let now = self.clock.nanoseconds();
        for _ in 0..window {
            returning.send(now);
        }
        connection.flush();
        // Ends with the connection or the program.
        spawn_local(async move {
            connection.run(returning).await;
            self.tally.borrow_mut().connections_lost += 1;
        });
    }

    async fn wait_for_the_last(&self) {
        let mut returned = 0;
        let is_waiting = |returned| {
            let tally = self.tally.borrow();
            tally.returned < tally.sent && tally.returned > returned
        };
        while is_waiting(returned) {
            returned = self.tally.borrow().returned;
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// One connection's messages, as they come back.
struct Returning {
    echoes: Rc<Echoes>,
    connection: Rc<Connection>,
    payload: Vec<u8>,
    /// One look at the clock serves all messages of a read.
    read_at: Option<u64>,
}

impl Returning {
    fn send(&mut self, now: u64) {
        let stamp = Stamp {
            sent_at: now,
            sender: 0,
            number: 0,
        };
        stamp.write(&mut self.payload);
        self.connection.queue(&self.payload);
        self.echoes.tally.borrow_mut().sent += 1;
    }
}

impl Inbox for Returning {
    fn message(&mut self, payload: &[u8]) {
        let now = *self
            .read_at
            .get_or_insert_with(|| self.echoes.clock.nanoseconds());
        let stamp = Stamp::read(payload, self.echoes.size);
        let mut tally = self.echoes.tally.borrow_mut();
        let Some(stamp) = stamp else {
            tally.strays += 1;
            return;
        };
        tally.returned += 1;
        tally.latency.add(now.saturating_sub(stamp.sent_at));
        drop(tally);
        if self.echoes.is_sending.get() {
            self.send(now);
        }
    }

    fn read_done(&mut self) {
        self.read_at = None;
        self.connection.flush();
    }
}
