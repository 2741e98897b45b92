//! Idle: the server's memory for each idle connection, before and after it carried a message.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::connection::{Connection, Handler};
use crate::connector::{Connector, connect_all};
use crate::meter::MEBIBYTE;
use crate::options::{Common, positive, seconds};
use crate::progress::Progress;
use crate::report::Report;

/// The options of `loadtest idle`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Idle {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Number of connections
    #[arg(long, default_value = "10000", value_parser = positive)]
    pub(crate) connections: usize,
    /// Measure again after one message of this size, in bytes, on each connection; the server
    /// must echo it
    #[arg(long)]
    pub(crate) message: Option<usize>,
    /// Quiet time before each measurement, in seconds
    #[arg(long, default_value = "3", value_parser = seconds)]
    pub(crate) settle: Duration,
}

impl Idle {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let mut report = Report::default();
        let empty = MemoryUse::read(self);
        let start = Instant::now();
        let connector = Connector::new(self.common.url.clone());
        let connections = connect_all(&self.common, vec![connector; self.connections]).await?;
        let speed = self.connections as f64 / start.elapsed().as_secs_f64();
        let counters = Rc::new(IdleCounters::default());
        for connection in &connections {
            counters.clone().start(connection.clone());
        }
        sleep(self.settle).await;
        let keys = ["bytes_per_connection", "pss_bytes_per_connection"];
        MemoryUse::read(self).report(&empty, &mut report, keys, "");
        if let Some(size) = self.message {
            counters.exchange(&connections, size).await;
            sleep(self.settle).await;
            let keys = ["used_bytes_per_connection", "used_pss_bytes_per_connection"];
            MemoryUse::read(self).report(&empty, &mut report, keys, " after a message");
            report.count("echoed", "messages echoed", counters.echoed.get());
        }
        let peak = self.common.server_process().peak() / MEBIBYTE;
        report
            .count("connections", "connections", self.connections as u64)
            .count("connections_lost", "connections lost", counters.lost.get())
            .number("connects_per_second", "connections opened/s", speed, 0)
            .number(
                "server_empty_mib",
                "server memory without connections, MiB",
                empty.resident / MEBIBYTE,
                1,
            )
            .number("server_peak_mib", "server memory, peak, MiB", peak, 1);
        Ok(report)
    }
}

/// The memory of the server, in bytes.
struct MemoryUse {
    resident: f64,
    proportional: f64,
    connections: f64,
}

impl MemoryUse {
    fn read(idle: &Idle) -> Self {
        Self {
            resident: idle.common.server_process().resident(),
            proportional: idle.common.server_process().proportional(),
            connections: idle.connections as f64,
        }
    }

    /// Adds the increase since the server had no connections, divided by their number.
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

/// The counters that all connections share.
#[derive(Default)]
struct IdleCounters {
    lost: Cell<u64>,
    echoed: Cell<u64>,
    has_changed: Notify,
}

impl IdleCounters {
    /// Reads from a connection, which answers pings and takes messages.
    fn start(self: Rc<Self>, connection: Rc<Connection>) {
        // Ends when the connection closes or the program exits.
        spawn_local(async move {
            connection.run(IdleClient(self.clone())).await;
            self.lost.set(self.lost.get() + 1);
            self.has_changed.notify_one();
        });
    }

    /// Sends one message on each connection and waits for its echo, a few at a time.
    async fn exchange(self: &Rc<Self>, connections: &[Rc<Connection>], size: usize) {
        let payload = vec![b'x'; size];
        let _progress = Progress::counting("exchanging", "messages", Some(connections.len()), {
            let counters = self.clone();
            move || counters.echoed.get()
        });
        let mut expected = 0;
        for chunk in connections.chunks(EXCHANGES_IN_FLIGHT) {
            for connection in chunk {
                connection.queue(&payload);
                connection.flush();
            }
            expected += chunk.len() as u64;
            while self.echoed.get() + self.lost.get() < expected {
                self.has_changed.notified().await;
            }
        }
    }
}

struct IdleClient(Rc<IdleCounters>);

impl Handler for IdleClient {
    fn message(&mut self, _: &[u8]) {
        self.0.echoed.set(self.0.echoed.get() + 1);
        self.0.has_changed.notify_one();
    }
}

/// Low enough that messages in flight add little to the server's memory.
const EXCHANGES_IN_FLIGHT: usize = 16;
