//! Ping: the latency of one connection while the server broadcasts to thousands of others.
//!
//! The pinging connection has its own thread. On the thread of the load generator, its latency
//! would include the time that the generator itself is busy.

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Args;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::connection::Handler;
use crate::connector::Connector;
use crate::dialect::Protocol;
use crate::fanout::{Clients, Fanout};
use crate::histogram::Histogram;
use crate::options::{Common, Timing, positive, stamped_size};
use crate::report::Report;
use crate::stamp::Clock;
use crate::target::Target;

/// The options of `loadtest ping`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Ping {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) timing: Timing,
    /// Number of connections that receive the broadcasts
    #[arg(long, default_value = "9000", value_parser = positive)]
    pub(crate) connections: usize,
    /// Broadcasts in flight
    #[arg(long, default_value = "2", value_parser = positive)]
    pub(crate) window: usize,
    /// Size of each broadcast, in bytes
    #[arg(long, default_value = "64", value_parser = stamped_size)]
    pub(crate) size: usize,
    /// The URL of the pinging connection; by default the same as --url
    #[arg(long)]
    pub(crate) ping_url: Option<Target>,
    /// Time between pings, in milliseconds
    #[arg(long, default_value = "5", value_parser = positive)]
    pub(crate) ping_every: usize,
}

impl Ping {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let clients = Clients::connect(&self.fanout()).await?;
        clients.start();
        let pinger = Arc::new(Pinger::default());
        let thread = self.start_pinging(pinger.clone());
        let begin = || pinger.with_latency(Histogram::clear);
        let measured = clients.measure(begin).await;
        let latency = pinger.with_latency(|latency| latency.clone());
        pinger.is_over.store(true, Ordering::Relaxed);
        thread
            .join()
            .map_err(|_| io::Error::other("the pinging thread panicked"))??;

        let mut report = Report::default();
        report
            .number(
                "ping_p50_us",
                "ping p50, µs",
                latency.quantile_microseconds(0.5),
                1,
            )
            .number(
                "ping_p99_us",
                "ping p99, µs",
                latency.quantile_microseconds(0.99),
                1,
            )
            .number(
                "ping_p999_us",
                "ping p99.9, µs",
                latency.quantile_microseconds(0.999),
                1,
            )
            .number("ping_max_us", "ping max, µs", latency.max_microseconds(), 1)
            .count("pings", "pings", latency.total());
        report.append(clients.report(&measured).await);
        Ok(report)
    }

    fn fanout(&self) -> Fanout {
        Fanout {
            common: self.common.clone(),
            timing: self.timing,
            connections: self.connections,
            senders: 1,
            size: self.size,
            window: self.window,
            rate: None,
            stalled: 0,
            rooms: 1,
        }
    }

    /// Starts the pinging thread, which ends after `is_over` is set.
    fn start_pinging(&self, pinger: Arc<Pinger>) -> JoinHandle<io::Result<()>> {
        let target = self.ping_url.as_ref().unwrap_or(&self.common.url).clone();
        let (protocol, every) = (self.common.protocol, self.ping_every as u64);
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let pinging = pinger.run(target, protocol, Duration::from_millis(every));
            runtime.block_on(LocalSet::new().run_until(pinging))
        })
    }
}

/// The state that the two threads share.
#[derive(Default)]
struct Pinger {
    is_over: AtomicBool,
    latency: Mutex<Histogram>,
}

impl Pinger {
    fn with_latency<R>(&self, look: impl FnOnce(&mut Histogram) -> R) -> R {
        // The lock is held to add one value or, once, to copy the histogram. Neither delays a ping
        // measurably.
        look(&mut self.latency.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn run(&self, target: Target, protocol: Protocol, every: Duration) -> io::Result<()> {
        let connector = Connector::new(target);
        let connection = timeout(GIVE_UP, connector.connect(0, protocol)).await??;
        let connection = Rc::new(connection);
        let pong = Rc::new(Notify::new());
        // Ends with the runtime of this thread.
        spawn_local(connection.clone().run(PongNotifier(pong.clone())));
        let clock = Clock::start();
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let start = clock.nanoseconds();
            connection.queue_ping();
            connection.flush();
            timeout(GIVE_UP, pong.notified()).await?;
            self.with_latency(|latency| latency.add(clock.nanoseconds() - start));
        }
        Ok(())
    }
}

/// Notifies the pinging task of each pong.
struct PongNotifier(Rc<Notify>);

impl Handler for PongNotifier {
    fn message(&mut self, _: &[u8]) {}

    fn pong(&mut self) {
        self.0.notify_one();
    }
}

/// Longer than any working server takes to answer a ping.
const GIVE_UP: Duration = Duration::from_secs(10);
