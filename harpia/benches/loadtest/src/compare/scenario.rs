//! The works that servers are compared by: the load, the figures that count, what is to be reached.

/// One load that every server is put under.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Options of `loadtest`, but for URL, process and time.
    pub(super) arguments: &'static str,
    /// Where the connections go.
    pub(super) path: &'static str,
    /// The first one decides; the others explain it.
    pub(super) figures: &'static [&'static Figure],
    pub(super) goals: &'static [Goal],
}

/// One column of a table.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) better: Better,
}

/// Which of two values of a figure is the better one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Better {
    Less,
    More,
}

/// What the first server is to reach in one figure of a scenario.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) figure: &'static Figure,
    pub(super) bound: Bound,
}

/// How far a figure has to go.
#[derive(Debug)]
pub(super) enum Bound {
    /// So many times what this server has.
    Server(f64, &'static str),
    /// So many times what the first server itself has in another scenario.
    Scenario(f64, &'static str),
    /// This value.
    Value(f64),
}

impl Scenario {
    /// Returns whether the load lasts as long as it is told to.
    pub(super) fn is_timed(&self) -> bool {
        !self.arguments.starts_with("idle")
    }

    /// Returns whether the picture shows it.
    pub(super) fn is_broadcast(&self) -> bool {
        self.figures
            .first()
            .is_some_and(|figure| figure.key == CPU.key)
    }
}

const fn less(key: &'static str, label: &'static str) -> Figure {
    let better = Better::Less;
    Figure { key, label, better }
}

const fn more(key: &'static str, label: &'static str) -> Figure {
    let better = Better::More;
    Figure { key, label, better }
}

const fn goal(figure: &'static Figure, bound: Bound) -> Goal {
    Goal { figure, bound }
}

static CPU: Figure = less("server_cpu_per_million", "server CPU, s/million");
static DELIVERIES: Figure = more("deliveries_per_second", "deliveries/s");
static ROUND_TRIPS: Figure = more("round_trips_per_second", "round trips/s");
static HANDSHAKES: Figure = more("handshakes_per_second", "handshakes/s");
static P50: Figure = less("latency_p50_us", "p50, µs");
static P99: Figure = less("latency_p99_us", "p99, µs");
static P999: Figure = less("latency_p999_us", "p99.9, µs");
static PING_P50: Figure = less("ping_p50_us", "ping p50, µs");
static PING_P99: Figure = less("ping_p99_us", "ping p99, µs");
static RSS: Figure = less("bytes_per_connection", "RSS, bytes/connection");
static PSS: Figure = less("pss_bytes_per_connection", "PSS, bytes/connection");
static USED: Figure = less(
    "used_bytes_per_connection",
    "RSS after the message, bytes/connection",
);
static PER_READ: Figure = more("messages_per_read", "messages/read");
static PEAK: Figure = less("server_peak_mib", "peak memory, MiB");
static LOST: Figure = less("lost", "lost");
static LATE: Figure = less("late", "overtaken");
static GONE: Figure = less("connections_lost", "connections lost");

static FANOUT: &[&Figure] = &[
    &CPU,
    &DELIVERIES,
    &P50,
    &P99,
    &PER_READ,
    &PEAK,
    &LOST,
    &LATE,
];
static BUSY: &[&Figure] = &[&DELIVERIES, &CPU, &P99, &PEAK, &LOST, &LATE, &GONE];
static ECHO: &[&Figure] = &[&ROUND_TRIPS, &CPU, &P50, &P99, &P999, &LOST];

/// All of them, in the order in which they are run and shown.
pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "fanout-1000",
        title: "Fan-out to 1,000: four senders, window 8, 64 B",
        arguments: "fanout --connections 1000 --senders 4 --window 8 --size 64",
        path: "/chat",
        figures: FANOUT,
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
        figures: FANOUT,
        goals: &[
            goal(&CPU, Bound::Server(0.8, "bun-publish")),
            goal(&DELIVERIES, Bound::Server(1.2, "bun-publish")),
        ],
    },
    Scenario {
        name: "paced",
        title: "Paced: 50 messages of 1 KiB in a second to 1,000",
        arguments: "fanout --connections 1000 --senders 1 --size 1024 --rate 50",
        path: "/chat",
        figures: FANOUT,
        goals: &[
            goal(&CPU, Bound::Server(1.0, "bun-publish")),
            goal(&P99, Bound::Server(1.0, "bun-publish")),
        ],
    },
    Scenario {
        name: "rooms",
        title: "1,000 rooms of 10, each with traffic: one sender, window 1, 64 B",
        arguments: "fanout --connections 10000 --rooms 1000 --senders 1 --window 1 --size 64",
        path: "/rooms/{room}",
        figures: FANOUT,
        goals: &[goal(&CPU, Bound::Server(1.0, "bun-publish"))],
    },
    // It takes the stalled seconds to fill what the kernel holds for each, 4 MiB by default. Until
    // then the kernel's own allocations are what is measured, so both warm up for longer.
    Scenario {
        name: "all-read",
        title: "Fan-out of 1 KiB to 801 that all read",
        arguments: "fanout --connections 801 --senders 4 --window 8 --size 1024 --warm-up 10",
        path: "/chat",
        figures: BUSY,
        goals: &[],
    },
    Scenario {
        name: "stalled",
        title: "The same, and 199 more that do not read",
        arguments: "fanout --connections 1000 --senders 4 --window 8 --size 1024 --stalled 20 --warm-up 10",
        path: "/chat",
        figures: BUSY,
        goals: &[goal(&DELIVERIES, Bound::Scenario(0.9, "all-read"))],
    },
    Scenario {
        name: "ping",
        title: "Ping of one connection while 9,000 others get broadcasts back to back",
        arguments: "ping --connections 9000 --window 2 --size 64 --ping-url {server}/echo",
        path: "/chat",
        figures: &[&PING_P99, &PING_P50, &CPU, &DELIVERIES, &LOST, &GONE],
        goals: &[goal(&PING_P99, Bound::Value(5000.0))],
    },
    Scenario {
        name: "echo-1",
        title: "Echo: 64 connections, window 1, 64 B",
        arguments: "echo --connections 64 --window 1 --size 64",
        path: "/echo",
        figures: ECHO,
        goals: &[goal(&ROUND_TRIPS, Bound::Server(1.0, "bun-publish"))],
    },
    Scenario {
        name: "echo-16",
        title: "Echo: 64 connections, window 16, 64 B",
        arguments: "echo --connections 64 --window 16 --size 64",
        path: "/echo",
        figures: ECHO,
        goals: &[goal(&ROUND_TRIPS, Bound::Server(1.4, "bun-publish"))],
    },
    Scenario {
        name: "idle",
        title: "Idle: 10,000 connections",
        arguments: "idle --connections 10000",
        path: "/echo",
        figures: &[&RSS, &PSS, &PEAK, &GONE],
        goals: &[goal(&RSS, Bound::Value(1400.0))],
    },
    Scenario {
        name: "idle-used",
        title: "Idle again: 5,000 connections, after each had one message of 256 KiB",
        arguments: "idle --connections 5000 --message 262144",
        path: "/echo",
        figures: &[&USED, &RSS, &PEAK, &GONE],
        goals: &[],
    },
    Scenario {
        name: "connect",
        title: "Connect: handshake, one echo, close; 128 at a time",
        arguments: "connect --connections 128",
        path: "/echo",
        figures: &[&HANDSHAKES, &CPU, &P50, &P99],
        goals: &[goal(&HANDSHAKES, Bound::Server(1.0, "bun-publish"))],
    },
];

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::options::Options;

    #[test]
    fn every_scenario_is_a_command_and_every_goal_a_column() {
        for scenario in SCENARIOS {
            let line = scenario.arguments.replace("{server}", "ws://127.0.0.1:1");
            let url = format!("ws://127.0.0.1:1{}", scenario.path);
            let words = line.split_whitespace().chain(["--json", "--url", &url]);
            let options = Options::try_parse_from(std::iter::once("loadtest").chain(words));
            assert!(options.is_ok(), "{}: {options:?}", scenario.name);
            for goal in scenario.goals {
                let key = goal.figure.key;
                assert!(
                    scenario.figures.iter().any(|figure| figure.key == key),
                    "{key}"
                );
            }
        }
    }
}
