//! Ping: how long a server that broadcasts to thousands lets one other connection wait.
//!
//! The other connection has a thread of its own: on the generator's it would wait for the
//! generator.

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

use crate::connection::Inbox;
use crate::dialect::Protocol;
use crate::fanout::{Crowd, Fanout};
use crate::handshake::Opening;
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
    /// Connections that get the broadcasts
    #[arg(long, default_value = "9000", value_parser = positive)]
    pub(crate) connections: usize,
    /// Broadcasts under way, so that one follows the other
    #[arg(long, default_value = "2", value_parser = positive)]
    pub(crate) window: usize,
    /// Bytes of each broadcast
    #[arg(long, default_value = "64", value_parser = stamped_size)]
    pub(crate) size: usize,
    /// Where the connection that pings goes; the same as all others, unless told
    #[arg(long)]
    pub(crate) ping_url: Option<Target>,
    /// Milliseconds from one ping to the next
    #[arg(long, default_value = "5", value_parser = positive)]
    pub(crate) ping_every: usize,
}

impl Ping {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let crowd = Crowd::gather(&self.fanout()).await?;
        crowd.start();
        let pings = Arc::new(Pings::default());
        let pinger = self.start_pinging(pings.clone());
        let measured = crowd.measure(|| pings.latency(Histogram::clear)).await;
        let latency = pings.latency(|latency| latency.clone());
        pings.is_over.store(true, Ordering::Relaxed);
        pinger
            .join()
            .map_err(|_| io::Error::other("the thread that pings has panicked"))??;

        let mut report = Report::default();
        report
            .number("ping_p50_us", "ping p50, µs", latency.microseconds(0.5), 1)
            .number("ping_p99_us", "ping p99, µs", latency.microseconds(0.99), 1)
            .number(
                "ping_p999_us",
                "ping p99.9, µs",
                latency.microseconds(0.999),
                1,
            )
            .number(
                "ping_max_us",
                "ping, slowest, µs",
                latency.largest_microseconds(),
                1,
            )
            .count("pings", "pings", latency.total());
        report.append(crowd.report(&measured).await);
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

    /// Returns the thread that pings, which ends when the pings are over.
    fn start_pinging(&self, pings: Arc<Pings>) -> JoinHandle<io::Result<()>> {
        let target = self.ping_url.as_ref().unwrap_or(&self.common.url).clone();
        let (protocol, every) = (self.common.protocol, self.ping_every as u64);
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let pinging = pings.run(target, protocol, Duration::from_millis(every));
            runtime.block_on(LocalSet::new().run_until(pinging))
        })
    }
}

/// What the two threads share.
#[derive(Default)]
struct Pings {
    is_over: AtomicBool,
    latency: Mutex<Histogram>,
}

impl Pings {
    fn latency<R>(&self, look: impl FnOnce(&mut Histogram) -> R) -> R {
        // Held for one count, or once for a copy: no ping waits for it noticeably.
        look(&mut self.latency.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn run(&self, target: Target, protocol: Protocol, every: Duration) -> io::Result<()> {
        let opening = Opening::new(target);
        let connection = timeout(GIVE_UP, opening.run(0, protocol)).await??;
        let connection = Rc::new(connection);
        let pong = Rc::new(Notify::new());
        // Ends with the connection, which ends with this thread's runtime.
        spawn_local(connection.clone().run(Pongs(pong.clone())));
        let clock = Clock::start();
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let start = clock.nanoseconds();
            connection.queue_ping();
            connection.flush();
            timeout(GIVE_UP, pong.notified()).await?;
            self.latency(|latency| latency.add(clock.nanoseconds() - start));
        }
        Ok(())
    }
}

/// Wakes the one who waits for a pong.
struct Pongs(Rc<Notify>);

impl Inbox for Pongs {
    fn message(&mut self, _: &[u8]) {}

    fn pong(&mut self) {
        self.0.notify_one();
    }
}

/// No server that works lets a ping wait so long.
const GIVE_UP: Duration = Duration::from_secs(10);
