//! The measured part of a load: what was counted in it, and the time that everyone spent.

use std::time::Instant;

use tokio::time::sleep;

use crate::histogram::Histogram;
use crate::options::Timing;
use crate::process::{Server, machine_cpu_seconds, own_cpu_seconds};
use crate::report::Report;

/// Two moments, and what a load had counted at each.
pub(crate) struct Measured<C> {
    pub(crate) before: C,
    pub(crate) after: C,
    from: Reading,
    to: Reading,
    server: Server,
}

/// Lets a load run: `begin` is called when the warm-up is over.
pub(crate) async fn measure<C>(
    server: Server,
    timing: Timing,
    begin: impl FnOnce(),
    count: impl Fn() -> C,
) -> Measured<C> {
    sleep(timing.warm_up).await;
    begin();
    let (from, before) = (Reading::take(server), count());
    sleep(timing.seconds).await;
    let (to, after) = (Reading::take(server), count());
    Measured {
        before,
        after,
        from,
        to,
        server,
    }
}

impl<C> Measured<C> {
    pub(crate) fn seconds(&self) -> f64 {
        (self.to.at - self.from.at).as_secs_f64()
    }

    /// Adds what the load cost: `count` things were done, of this name.
    pub(crate) fn report_cost(&self, report: &mut Report, count: u64, things: &str) {
        let server = self.to.server - self.from.server;
        let client = self.to.client - self.from.client;
        let machine = self.to.machine - self.from.machine;
        let percent = 100.0 / self.seconds();
        let per_million = 1e6 / count as f64;
        report
            .number(
                "server_cpu_per_million",
                format!("server CPU, s per million {things}"),
                server * per_million,
                3,
            )
            .number("server_cpu_percent", "server CPU, %", server * percent, 0)
            .number(
                "server_peak_mib",
                "server memory, peak, MiB",
                self.server.peak() / MEBIBYTE,
                1,
            )
            .number(
                "client_cpu_per_million",
                format!("client CPU, s per million {things}"),
                client * per_million,
                3,
            )
            .number(
                "client_cpu_percent",
                "client CPU, % of its one thread",
                client * percent,
                0,
            )
            .number(
                "other_cpu_percent",
                "CPU of all else, %",
                (machine - server - client).max(0.0) * percent,
                0,
            )
            .number("seconds", "measured, s", self.seconds(), 2);
    }
}

/// Adds the quantiles of latencies.
pub(crate) fn report_latency(report: &mut Report, latency: &Histogram) {
    report
        .number(
            "latency_p50_us",
            "latency p50, µs",
            latency.microseconds(0.5),
            1,
        )
        .number(
            "latency_p99_us",
            "latency p99, µs",
            latency.microseconds(0.99),
            1,
        )
        .number(
            "latency_p999_us",
            "latency p99.9, µs",
            latency.microseconds(0.999),
            1,
        );
}

struct Reading {
    at: Instant,
    server: f64,
    client: f64,
    machine: f64,
}

impl Reading {
    fn take(server: Server) -> Self {
        Self {
            at: Instant::now(),
            server: server.cpu_seconds(),
            client: own_cpu_seconds(),
            machine: machine_cpu_seconds(),
        }
    }
}

pub(crate) const MEBIBYTE: f64 = 1048576.0;
