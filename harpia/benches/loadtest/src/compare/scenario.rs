//! The scenarios of the comparison: for each its load, its metrics and its goals.

/// One load that runs against every server.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(super) title: &'static str,
    /// The arguments of `loadtest`, without `--url`, `--pid`, `--protocol` and `--seconds`.
    pub(crate) arguments: &'static str,
    /// The path of the URL.
    pub(crate) path: &'static str,
    /// The columns of the table. Servers are compared by the first one.
    pub(super) metrics: &'static [&'static Metric],
    pub(super) goals: &'static [Goal],
}

/// One column of a table.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) better: Better,
}

/// Which of two values of a metric is better.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Better {
    Less,
    More,
}

/// A goal of the baseline for one metric of a scenario.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) metric: &'static Metric,
    pub(super) bound: Bound,
}

/// The value that a metric must reach.
#[derive(Debug)]
pub(super) enum Bound {
    /// This factor times the value of another server.
    Server(f64, &'static str),
    /// This factor times the value of the baseline in another scenario.
    Scenario(f64, &'static str),
    /// This value.
    Value(f64),
}

impl Scenario {
    /// Returns whether the load takes `--seconds`.
    pub(super) fn is_timed(&self) -> bool {
        !self.arguments.starts_with("idle")
    }

    /// Returns whether the chart shows the scenario.
    pub(super) fn is_in_chart(&self) -> bool {
        self.metrics
            .first()
            .is_some_and(|metric| metric.key == CPU.key)
    }
}

const fn less(key: &'static str, label: &'static str) -> Metric {
    let better = Better::Less;
    Metric { key, label, better }
}

const fn more(key: &'static str, label: &'static str) -> Metric {
    let better = Better::More;
    Metric { key, label, better }
}

const fn goal(metric: &'static Metric, bound: Bound) -> Goal {
    Goal { metric, bound }
}

static CPU: Metric = less("server_cpu_per_million", "server CPU, s/million");
static DELIVERIES: Metric = more("deliveries_per_second", "deliveries/s");
static ROUND_TRIPS: Metric = more("round_trips_per_second", "round trips/s");
static HANDSHAKES: Metric = more("handshakes_per_second", "handshakes/s");
static P50: Metric = less("latency_p50_us", "p50, µs");
static P99: Metric = less("latency_p99_us", "p99, µs");
static P999: Metric = less("latency_p999_us", "p99.9, µs");
static PING_P50: Metric = less("ping_p50_us", "ping p50, µs");
static PING_P99: Metric = less("ping_p99_us", "ping p99, µs");
static RSS: Metric = less("bytes_per_connection", "RSS, bytes/connection");
static PSS: Metric = less("pss_bytes_per_connection", "PSS, bytes/connection");
static USED: Metric = less(
    "used_bytes_per_connection",
    "RSS after the message, bytes/connection",
);
static PER_READ: Metric = more("messages_per_read", "messages/read");
static PEAK: Metric = less("server_peak_mib", "peak memory, MiB");
static LOST: Metric = less("lost", "lost");
static OUT_OF_ORDER: Metric = less("late", "out of order");
static CONNECTIONS_LOST: Metric = less("connections_lost", "connections lost");

static FANOUT: &[&Metric] = &[
    &CPU,
    &DELIVERIES,
    &P50,
    &P99,
    &PER_READ,
    &PEAK,
    &LOST,
    &OUT_OF_ORDER,
];
static BUSY: &[&Metric] = &[
    &DELIVERIES,
    &CPU,
    &P99,
    &PEAK,
    &LOST,
    &OUT_OF_ORDER,
    &CONNECTIONS_LOST,
];
static ECHO: &[&Metric] = &[&ROUND_TRIPS, &CPU, &P50, &P99, &P999, &LOST];

/// All scenarios, in the order in which they run and appear on the page.
pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "fanout-1000",
        title: "Fan-out to 1,000: four senders, window 8, 64 B",
        arguments: "fanout --connections 1000 --senders 4 --window 8 --size 64",
        path: "/chat",
        metrics: FANOUT,
        goals: &[
            goal(&CPU, Bound::Server(0.8, "bun-publish")),
            goal(&CPU, Bound::Server(0.05, "axum")),
            goal(&CPU, Bound::Server(0.05, "bun-set")),
        ],
    },
    Scenario {
        name: "fanout-100",
        title: "Fan-out to 100: four senders, window 8, 64 B",
        arguments: "fanout --connections 100 --senders 4 --window 8 --size 64",
        path: "/chat",
        metrics: FANOUT,
        goals: &[
            goal(&CPU, Bound::Server(0.8, "bun-publish")),
            goal(&DELIVERIES, Bound::Server(1.2, "bun-publish")),
        ],
    },
    Scenario {
        name: "paced",
        title: "Paced fan-out to 1,000: 50 messages of 1 KiB per second",
        arguments: "fanout --connections 1000 --senders 1 --size 1024 --rate 50",
        path: "/chat",
        metrics: FANOUT,
        goals: &[
            goal(&CPU, Bound::Server(1.0, "bun-publish")),
            goal(&P99, Bound::Server(1.0, "bun-publish")),
        ],
    },
    Scenario {
        name: "rooms",
        title: "1,000 rooms of 10: one sender in each room, window 1, 64 B",
        arguments: "fanout --connections 10000 --rooms 1000 --senders 1 --window 1 --size 64",
        path: "/rooms/{room}",
        metrics: FANOUT,
        goals: &[goal(&CPU, Bound::Server(1.0, "bun-publish"))],
    },
    // By default, the kernel buffers up to 4 MiB for each stalled connection, and these buffers
    // take seconds to fill. Until then the kernel's allocations dominate. So this scenario and the
    // next warm up for longer.
    Scenario {
        name: "all-read",
        title: "Fan-out of 1 KiB: 801 connections that read",
        arguments: "fanout --connections 801 --senders 4 --window 8 --size 1024 --warm-up 10",
        path: "/chat",
        metrics: BUSY,
        goals: &[],
    },
    Scenario {
        name: "stalled",
        title: "Fan-out of 1 KiB: 801 connections that read, 199 that do not",
        arguments: "fanout --connections 1000 --senders 4 --window 8 --size 1024 --stalled 20 \
                    --warm-up 10",
        path: "/chat",
        metrics: BUSY,
        goals: &[goal(&DELIVERIES, Bound::Scenario(0.9, "all-read"))],
    },
    Scenario {
        name: "ping",
        title: "Ping of one connection during broadcasts to 9,000 others",
        arguments: "ping --connections 9000 --window 2 --size 64 --ping-url {server}/echo",
        path: "/chat",
        metrics: &[
            &PING_P99,
            &PING_P50,
            &CPU,
            &DELIVERIES,
            &LOST,
            &CONNECTIONS_LOST,
        ],
        goals: &[goal(&PING_P99, Bound::Value(5000.0))],
    },
    Scenario {
        name: "echo-1",
        title: "Echo: 64 connections, window 1, 64 B",
        arguments: "echo --connections 64 --window 1 --size 64",
        path: "/echo",
        metrics: ECHO,
        goals: &[goal(&ROUND_TRIPS, Bound::Server(1.0, "bun-publish"))],
    },
    Scenario {
        name: "echo-16",
        title: "Echo: 64 connections, window 16, 64 B",
        arguments: "echo --connections 64 --window 16 --size 64",
        path: "/echo",
        metrics: ECHO,
        goals: &[goal(&ROUND_TRIPS, Bound::Server(1.4, "bun-publish"))],
    },
    Scenario {
        name: "idle",
        title: "Idle: 10,000 connections",
        arguments: "idle --connections 10000",
        path: "/echo",
        metrics: &[&RSS, &PSS, &PEAK, &CONNECTIONS_LOST],
        goals: &[goal(&RSS, Bound::Value(1400.0))],
    },
    Scenario {
        name: "idle-used",
        title: "Idle: 5,000 connections after one message of 256 KiB on each",
        arguments: "idle --connections 5000 --message 262144",
        path: "/echo",
        metrics: &[&USED, &RSS, &PEAK, &CONNECTIONS_LOST],
        goals: &[],
    },
    Scenario {
        name: "connect",
        title: "Connect: handshake, one echo, close; 128 concurrent",
        arguments: "connect --connections 128",
        path: "/echo",
        metrics: &[&HANDSHAKES, &CPU, &P50, &P99],
        goals: &[goal(&HANDSHAKES, Bound::Server(1.0, "bun-publish"))],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_is_for_a_metric_of_its_scenario() {
        for scenario in SCENARIOS {
            for goal in scenario.goals {
                let key = goal.metric.key;
                assert!(
                    scenario.metrics.iter().any(|metric| metric.key == key),
                    "{key}"
                );
            }
        }
    }
}
