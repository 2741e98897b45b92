//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::compare::Compare;
use crate::connect::Connect;
use crate::dialect::Protocol;
use crate::echo::Echo;
use crate::fanout::Fanout;
use crate::idle::Idle;
use crate::ping::Ping;
use crate::process::Server;
use crate::stamp::Stamp;
use crate::target::Target;

/// Measures a WebSocket server: what it costs, how fast it answers, what it loses.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) load: Load,
}

/// The loads that a server can be put under.
#[derive(Debug, Subcommand)]
pub(crate) enum Load {
    /// Some connections send; the server passes each message on to all others
    Fanout(Fanout),
    /// Each connection gets its own messages back
    Echo(Echo),
    /// Connections that do nothing: what each of them weighs
    Idle(Idle),
    /// Connect, one echo, close, over and over
    Connect(Connect),
    /// How long a ping takes while many connections get broadcasts back to back
    Ping(Ping),
    /// All loads against several servers in turns, as a page with a picture
    Compare(Compare),
}

/// What every load needs to know.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// The server: ws://ADDRESS:PORT/PATH
    #[arg(long)]
    pub(crate) url: Target,
    /// The server's process; it and its children are weighed and timed
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// What is spoken above WebSocket
    #[arg(long, value_enum, default_value = "plain")]
    pub(crate) protocol: Protocol,
    /// Handshakes under way at a time
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) at_once: u32,
    /// Allow servers on other machines: only those that are yours
    #[arg(long)]
    pub(crate) anywhere: bool,
    /// Print one line of JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

impl Common {
    pub(crate) fn server(&self) -> Server {
        Server(self.pid)
    }
}

/// How long a load lasts.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Seconds that are measured
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Seconds of the same load before that
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub(crate) warm_up: Duration,
}

impl Load {
    /// Returns what is common to all loads on one server.
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

    /// Returns how many connections are open at the same time.
    pub(crate) fn connections(&self) -> usize {
        match self {
            Self::Fanout(load) => load.connections,
            Self::Echo(load) => load.connections,
            Self::Idle(load) => load.connections,
            Self::Connect(load) => load.connections,
            Self::Ping(load) => load.connections + 1,
            // For the server, which inherits the limit.
            Self::Compare(_) => 12_000,
        }
    }

    /// Returns the time after which something must have gone wrong.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let load = match self {
            Self::Fanout(load) => load.timing.total(),
            Self::Echo(load) => load.timing.total(),
            Self::Connect(load) => load.timing.total(),
            Self::Ping(load) => load.timing.total(),
            Self::Idle(load) => load.settle * 2,
            Self::Compare(_) => return None,
        };
        Some(load + OPENING_AND_CLOSING)
    }
}

impl Timing {
    fn total(&self) -> Duration {
        self.seconds + self.warm_up
    }
}

/// Reads seconds, at most an hour of them.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number from 0 to 3600".into()),
    }
}

/// Reads a number of things that has to be at least one, and fits into a machine.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=1_000_000).contains(&number) => Ok(number),
        _ => Err("a number from 1 to 1000000".into()),
    }
}

/// Reads the size of a payload that has room for a stamp.
pub(crate) fn stamped_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size) if (Stamp::SIZE..=64 << 20).contains(&size) => Ok(size),
        _ => Err(format!("a number from {} to 67108864", Stamp::SIZE)),
    }
}

/// Ten thousand handshakes with a slow server, and what is still on its way at the end.
const OPENING_AND_CLOSING: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Load, clap::Error> {
        let words = std::iter::once("loadtest").chain(line.split_whitespace());
        Options::try_parse_from(words).map(|options| options.load)
    }

    #[test]
    fn the_documented_commands_are_understood() {
        for line in [
            "fanout --url ws://127.0.0.1:1/chat --connections 1000 --senders 4 --size 64 --window 8",
            "fanout --url ws://127.0.0.1:1/chat --rate 50 --stalled 20",
            "fanout --url ws://127.0.0.1:1/rooms/{room} --connections 10000 --rooms 1000",
            "echo --url ws://127.0.0.1:1/echo --connections 64 --window 16 --json",
            "idle --url ws://127.0.0.1:1/echo --connections 10000 --message 262144 --pid 1",
            "connect --url ws://127.0.0.1:1/echo",
            "ping --url ws://127.0.0.1:1/chat --connections 9000",
        ] {
            let load = parse(line).unwrap();
            assert!(
                load.connections() > 0 && load.deadline() > Some(Duration::ZERO),
                "{line}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
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
}
