//! Connect: how many connections a server can take in, answer once and let go, in a second.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::connection::Inbox;
use crate::handshake::Opening;
use crate::histogram::Histogram;
use crate::meter::{measure, report_latency};
use crate::options::{Common, Timing, positive};
use crate::progress::Progress;
use crate::report::Report;
use crate::stamp::Clock;

/// The options of `loadtest connect`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Connect {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) timing: Timing,
    /// Connections at a time
    #[arg(long, default_value = "128", value_parser = positive)]
    pub(crate) connections: usize,
}

impl Connect {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let visits = Rc::new(Visits {
            opening: Opening::new(self.common.url.clone()),
            common: self.common.clone(),
            clock: Clock::start(),
            number: Cell::new(0),
            done: Cell::new(0),
            failed: Cell::new(0),
            latency: RefCell::default(),
        });
        for _ in 0..self.connections {
            let visits = visits.clone();
            // Ends with the program.
            spawn_local(async move {
                loop {
                    visits.visit().await;
                }
            });
        }
        let progress = Progress::counting("connect", "connections", None, {
            let visits = visits.clone();
            move || visits.done.get()
        });
        let begin = || visits.latency.borrow_mut().clear();
        let count = || (visits.done.get(), visits.failed.get());
        let measured = measure(self.common.server(), self.timing, begin, count).await;
        drop(progress);

        let done = measured.after.0 - measured.before.0;
        let speed = done as f64 / measured.seconds();
        let mut report = Report::default();
        report.number("handshakes_per_second", "handshakes/s", speed, 0);
        report_latency(&mut report, &visits.latency.borrow());
        measured.report_cost(&mut report, done, "connections");
        report.count("failed", "failed", measured.after.1 - measured.before.1);
        Ok(report)
    }
}

struct Visits {
    opening: Opening,
    common: Common,
    clock: Clock,
    number: Cell<usize>,
    done: Cell<u64>,
    failed: Cell<u64>,
    latency: RefCell<Histogram>,
}

impl Visits {
    async fn visit(&self) {
        let start = self.clock.nanoseconds();
        // A server that hangs must not make a worker hang.
        match timeout(Duration::from_secs(10), self.come_and_go()).await {
            Ok(Ok(())) => {
                self.done.set(self.done.get() + 1);
                self.latency
                    .borrow_mut()
                    .add(self.clock.nanoseconds() - start);
            }
            _ => self.failed.set(self.failed.get() + 1),
        }
    }

    async fn come_and_go(&self) -> io::Result<()> {
        let number = self.number.replace(self.number.get() + 1);
        let connection = Rc::new(self.opening.run(number, self.common.protocol).await?);
        connection.queue(b"hello");
        connection.flush();
        let mut answer = Answer { has_come: false };
        while !answer.has_come {
            connection.read(&mut answer).await?;
        }
        Ok(())
    }
}

struct Answer {
    has_come: bool,
}

impl Inbox for Answer {
    fn message(&mut self, _: &[u8]) {
        self.has_come = true;
    }
}
