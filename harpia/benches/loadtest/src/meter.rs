//! The measured part of a load: the counts of the load, and the CPU time that it cost.

use std::time::Instant;

use tokio::time::sleep;

use crate::histogram::Histogram;
use crate::options::Timing;
use crate::process::{ProcessTree, machine_cpu_seconds, own_cpu_seconds};
use crate::report::Report;

/// The counts and CPU times at the start and at the end of the measurement.
pub(crate) struct Measurement<C> {
    pub(crate) before: C,
    pub(crate) after: C,
    from: CpuTimes,
    to: CpuTimes,
    server: ProcessTree,
}

/// Measures a load that is already running. Calls `begin` at the end of the warm-up.
pub(crate) async fn measure<C>(
    server: ProcessTree,
    timing: Timing,
    begin: impl FnOnce(),
    count: impl Fn() -> C,
) -> Measurement<C> {
    sleep(timing.warm_up).await;
    begin();
    let (from, before) = (CpuTimes::read(server), count());
    sleep(timing.seconds).await;
    let (to, after) = (CpuTimes::read(server), count());
    Measurement {
        before,
        after,
        from,
        to,
        server,
    }
}

impl<C> Measurement<C> {
    pub(crate) fn seconds(&self) -> f64 {
        (self.to.at - self.from.at).as_secs_f64()
    }

    /// Adds the cost of the load, which did `count` `things` in the measured time.
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
                "CPU of other processes, %",
                (machine - server - client).max(0.0) * percent,
                0,
            )
            .number("seconds", "measured, s", self.seconds(), 2);
    }
}

/// Adds the quantiles of the latency.
pub(crate) fn report_latency(report: &mut Report, latency: &Histogram) {
    report
        .number(
            "latency_p50_us",
            "latency p50, µs",
            latency.quantile_microseconds(0.5),
            1,
        )
        .number(
            "latency_p99_us",
            "latency p99, µs",
            latency.quantile_microseconds(0.99),
            1,
        )
        .number(
            "latency_p999_us",
            "latency p99.9, µs",
            latency.quantile_microseconds(0.999),
            1,
        );
}

/// The CPU seconds that the server, this program and the whole machine have used so far.
struct CpuTimes {
    at: Instant,
    server: f64,
    client: f64,
    machine: f64,
}

impl CpuTimes {
    fn read(server: ProcessTree) -> Self {
        Self {
            at: Instant::now(),
            server: server.cpu_seconds(),
            client: own_cpu_seconds(),
            machine: machine_cpu_seconds(),
        }
    }
}

pub(crate) const MEBIBYTE: f64 = 1048576.0;
