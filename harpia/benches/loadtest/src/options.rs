//! The options that several loads share, and the parsers of their values.

use std::time::Duration;

use clap::Args;

use crate::dialect::Protocol;
use crate::process::ProcessTree;
use crate::stamp::Stamp;
use crate::target::Target;

/// The options of every load.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// The server: ws://ADDRESS:PORT/PATH
    #[arg(long)]
    pub(crate) url: Target,
    /// The server's process id; reports the CPU time and memory of it and its child processes
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// The protocol on top of WebSocket
    #[arg(long, value_enum, default_value = "plain")]
    pub(crate) protocol: Protocol,
    /// Number of concurrent handshakes while the connections are opened
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) at_once: u32,
    /// Allow a server on another machine; use it only if you may put that server under load
    #[arg(long)]
    pub(crate) anywhere: bool,
    /// Print one line of JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

impl Common {
    pub(crate) fn server_process(&self) -> ProcessTree {
        ProcessTree(self.pid)
    }
}

/// The duration of a load.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Duration of the measurement, in seconds
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub(crate) seconds: Duration,
    /// Duration of the same load before the measurement, in seconds
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub(crate) warm_up: Duration,
}

impl Timing {
    pub(crate) fn total(&self) -> Duration {
        self.seconds + self.warm_up
    }
}

/// Parses a duration of 0 to 3600 seconds.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number from 0 to 3600".into()),
    }
}

/// Parses a count from 1 to 1,000,000.
pub(crate) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=1_000_000).contains(&number) => Ok(number),
        _ => Err("expected a number from 1 to 1000000".into()),
    }
}

/// Parses the size of a payload, in bytes. A payload has room for a [`Stamp`].
pub(crate) fn stamped_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size) if (Stamp::SIZE..=64 << 20).contains(&size) => Ok(size),
        _ => Err(format!(
            "expected a number from {} to 67108864",
            Stamp::SIZE
        )),
    }
}
