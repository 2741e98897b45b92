//! Idle: what a connection weighs that does nothing, and what it weighs after it did something.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::connection::{Connection, Inbox};
use crate::handshake::{Opening, open_all};
use crate::meter::MEBIBYTE;
use crate::options::{Common, positive, seconds};
use crate::progress::Progress;
use crate::report::Report;

/// The options of `loadtest idle`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Idle {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Connections
    #[arg(long, default_value = "10000", value_parser = positive)]
    pub(crate) connections: usize,
    /// Weigh again after each connection got one message of so many bytes; the URL must echo
    #[arg(long)]
    pub(crate) message: Option<usize>,
    /// Seconds of quiet before each weighing
    #[arg(long, default_value = "3", value_parser = seconds)]
    pub(crate) settle: Duration,
}

impl Idle {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let mut report = Report::default();
        let empty = Weight::take(self);
        let start = Instant::now();
        let opening = Opening::new(self.common.url.clone());
        let connections = open_all(&self.common, vec![opening; self.connections]).await?;
        let speed = self.connections as f64 / start.elapsed().as_secs_f64();
        let crowd = Rc::new(Crowd::default());
        for connection in &connections {
            crowd.clone().start(connection.clone());
        }
        sleep(self.settle).await;
        let keys = ["bytes_per_connection", "pss_bytes_per_connection"];
        Weight::take(self).report(&empty, &mut report, keys, "");
        if let Some(size) = self.message {
            crowd.exchange(&connections, size).await;
            sleep(self.settle).await;
            let keys = ["used_bytes_per_connection", "used_pss_bytes_per_connection"];
            Weight::take(self).report(&empty, &mut report, keys, " after a message");
            report.count("echoed", "messages echoed", crowd.echoed.get());
        }
        let peak = self.common.server().peak() / MEBIBYTE;
        report
            .count("connections", "connections", self.connections as u64)
            .count("connections_lost", "connections lost", crowd.lost.get())
            .number("connects_per_second", "opened per second", speed, 0)
            .number(
                "server_empty_mib",
                "server memory before, MiB",
                empty.resident / MEBIBYTE,
                1,
            )
            .number("server_peak_mib", "server memory, peak, MiB", peak, 1);
        Ok(report)
    }
}

/// What the server weighs, in bytes.
struct Weight {
    resident: f64,
    proportional: f64,
    connections: f64,
}

impl Weight {
    fn take(idle: &Idle) -> Self {
        Self {
            resident: idle.common.server().resident(),
            proportional: idle.common.server().proportional(),
            connections: idle.connections as f64,
        }
    }

    /// Adds what each connection has added to the weight of the empty server.
    fn report(&self, empty: &Self, report: &mut Report, keys: [&'static str; 2], when: &str) {
        let resident = (self.resident - empty.resident) / self.connections;
        let proportional = (self.proportional - empty.proportional) / self.connections;
        report
            .number(
                keys[0],
                format!("RSS{when}, bytes per connection"),
                resident,
                0,
            )
            .number(
                keys[1],
                format!("PSS{when}, bytes per connection"),
                proportional,
                0,
            );
    }
}

/// What all idle connections share.
#[derive(Default)]
struct Crowd {
    lost: Cell<u64>,
    echoed: Cell<u64>,
    has_changed: Notify,
}

impl Crowd {
    /// Reads, so that pings are answered and messages taken.
    fn start(self: Rc<Self>, connection: Rc<Connection>) {
        // Ends with the connection or the program.
        spawn_local(async move {
            connection.run(Member(self.clone())).await;
            self.lost.set(self.lost.get() + 1);
            self.has_changed.notify_one();
        });
    }

    /// Sends one message on each connection and waits for its echo, a few at a time.
    async fn exchange(self: &Rc<Self>, connections: &[Rc<Connection>], size: usize) {
        let payload = vec![b'x'; size];
        let _progress = Progress::counting("exchanging", "messages", Some(connections.len()), {
            let crowd = self.clone();
            move || crowd.echoed.get()
        });
        let mut expected = 0;
        for some in connections.chunks(AT_ONCE) {
            for connection in some {
                connection.queue(&payload);
                connection.flush();
            }
            expected += some.len() as u64;
            while self.echoed.get() + self.lost.get() < expected {
                self.has_changed.notified().await;
            }
        }
    }
}

struct Member(Rc<Crowd>);

impl Inbox for Member {
    fn message(&mut self, _: &[u8]) {
        self.0.echoed.set(self.0.echoed.get() + 1);
        self.0.has_changed.notify_one();
    }
}

/// Few enough that messages under way are no weight of their own.
const AT_ONCE: usize = 16;
