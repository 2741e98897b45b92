//! Connect: how many connections per second a server accepts, answers once and closes.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::connection::Handler;
use crate::connector::Connector;
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
    /// Number of concurrent connections
    #[arg(long, default_value = "128", value_parser = positive)]
    pub(crate) connections: usize,
}

impl Connect {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let attempts = Rc::new(Attempts {
            connector: Connector::new(self.common.url.clone()),
            common: self.common.clone(),
            clock: Clock::start(),
            started: Cell::new(0),
            done: Cell::new(0),
            failed: Cell::new(0),
            latency: RefCell::default(),
        });
        for _ in 0..self.connections {
            let attempts = attempts.clone();
            // Runs until the program exits.
            spawn_local(async move {
                loop {
                    attempts.run_one().await;
                }
            });
        }
        let progress = Progress::counting("connect", "connections", None, {
            let attempts = attempts.clone();
            move || attempts.done.get()
        });
        let begin = || attempts.latency.borrow_mut().clear();
        let count = || (attempts.done.get(), attempts.failed.get());
        let measured = measure(self.common.server_process(), self.timing, begin, count).await;
        drop(progress);

        let done = measured.after.0 - measured.before.0;
        let speed = done as f64 / measured.seconds();
        let mut report = Report::default();
        report.number("handshakes_per_second", "handshakes/s", speed, 0);
        report_latency(&mut report, &attempts.latency.borrow());
        measured.report_cost(&mut report, done, "connections");
        report.count("failed", "failed", measured.after.1 - measured.before.1);
        Ok(report)
    }
}

/// The state that all workers share.
struct Attempts {
    connector: Connector,
    common: Common,
    clock: Clock,
    started: Cell<usize>,
    done: Cell<u64>,
    failed: Cell<u64>,
    latency: RefCell<Histogram>,
}

impl Attempts {
    async fn run_one(&self) {
        let start = self.clock.nanoseconds();
        // Bounded, so that a server that hangs does not block the worker forever.
        match timeout(Duration::from_secs(10), self.connect_and_echo()).await {
            Ok(Ok(())) => {
                self.done.set(self.done.get() + 1);
                self.latency
                    .borrow_mut()
                    .add(self.clock.nanoseconds() - start);
            }
            _ => self.failed.set(self.failed.get() + 1),
        }
    }

    async fn connect_and_echo(&self) -> io::Result<()> {
        let number = self.started.replace(self.started.get() + 1);
        let connection = self.connector.connect(number, self.common.protocol).await?;
        let connection = Rc::new(connection);
        connection.queue(b"hello");
        connection.flush();
        let mut reply = Reply { has_arrived: false };
        while !reply.has_arrived {
            connection.read(&mut reply).await?;
        }
        Ok(())
    }
}

/// Waits for the first message.
struct Reply {
    has_arrived: bool,
}

impl Handler for Reply {
    fn message(&mut self, _: &[u8]) {
        self.has_arrived = true;
    }
}
