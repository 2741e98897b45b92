//! The command line: one subcommand for each load, and one that compares servers.

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::compare::Compare;
use crate::connect::Connect;
use crate::echo::Echo;
use crate::fanout::Fanout;
use crate::idle::Idle;
use crate::options::Common;
use crate::ping::Ping;

/// Measures a WebSocket server: CPU time, memory, latency and lost messages
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send on some connections; the server passes each message on to all others
    Fanout(Fanout),
    /// Send on each connection; the server returns each message to its sender
    Echo(Echo),
    /// Hold connections that do nothing, and measure the server's memory for each
    Idle(Idle),
    /// Connect, echo one message and close, over and over
    Connect(Connect),
    /// Ping on one connection while the server broadcasts to many others
    Ping(Ping),
    /// Run all loads against several servers, and write a results page with a chart
    Compare(Compare),
}

impl Command {
    /// Returns the options that all loads share; none for `compare`.
    pub(crate) fn common(&self) -> Option<&Common> {
        match self {
            Self::Fanout(load) => Some(&load.common),
            Self::Echo(load) => Some(&load.common),
            Self::Idle(load) => Some(&load.common),
            Self::Connect(load) => Some(&load.common),
            Self::Ping(load) => Some(&load.common),
            Self::Compare(_) => None,
        }
    }

    /// Returns the largest number of concurrent connections.
    pub(crate) fn connections(&self) -> usize {
        match self {
            Self::Fanout(load) => load.connections,
            Self::Echo(load) => load.connections,
            Self::Idle(load) => load.connections,
            Self::Connect(load) => load.connections,
            Self::Ping(load) => load.connections + 1,
            // The servers inherit the limit on open files.
            Self::Compare(_) => 12_000,
        }
    }

    /// Returns the time after which the load is aborted; none for `compare`.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let load = match self {
            Self::Fanout(load) => load.timing.total(),
            Self::Echo(load) => load.timing.total(),
            Self::Connect(load) => load.timing.total(),
            Self::Ping(load) => load.timing.total(),
            Self::Idle(load) => load.settle * 2,
            Self::Compare(_) => return None,
        };
        Some(load + CONNECTING_AND_DRAINING)
    }
}

/// Long enough for 10,000 handshakes with a slow server, and for the last messages in flight.
const CONNECTING_AND_DRAINING: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::scenario::SCENARIOS;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        let words = std::iter::once("loadtest").chain(line.split_whitespace());
        Cli::try_parse_from(words).map(|cli| cli.command)
    }

    #[test]
    fn the_documented_commands_are_valid() {
        for line in [
            "fanout --url ws://127.0.0.1:1/chat --connections 1000 --senders 4 --size 64 \
             --window 8",
            "fanout --url ws://127.0.0.1:1/chat --rate 50 --stalled 20",
            "fanout --url ws://127.0.0.1:1/rooms/{room} --connections 10000 --rooms 1000",
            "echo --url ws://127.0.0.1:1/echo --connections 64 --window 16 --json",
            "idle --url ws://127.0.0.1:1/echo --connections 10000 --message 262144 --pid 1",
            "connect --url ws://127.0.0.1:1/echo",
            "ping --url ws://127.0.0.1:1/chat --connections 9000",
        ] {
            let command = parse(line).unwrap();
            assert!(
                command.connections() > 0 && command.deadline() > Some(Duration::ZERO),
                "{line}"
            );
        }
    }

    #[test]
    fn invalid_values_are_rejected() {
        for line in [
            "fanout",
            "fanout --url ws://127.0.0.1:1/ --size 31",
            "fanout --url ws://127.0.0.1:1/ --stalled 101",
            "fanout --url ws://127.0.0.1:1/ --rate -1",
            "echo --url ws://127.0.0.1:1/ --seconds forever",
            "echo --url ws://127.0.0.1:1/ --connections 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_scenario_is_a_valid_command() {
        for scenario in SCENARIOS {
            let arguments = scenario.arguments.replace("{server}", "ws://127.0.0.1:1");
            let line = format!("{arguments} --json --url ws://127.0.0.1:1{}", scenario.path);
            let command = parse(&line);
            assert!(command.is_ok(), "{}: {command:?}", scenario.name);
        }
    }
}
