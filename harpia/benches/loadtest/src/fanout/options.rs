//! The options of `loadtest fanout`.

use std::io;

use clap::Args;

use super::layout::Layout;
use crate::options::{Common, Timing, positive, stamped_size};

/// The options of `loadtest fanout`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Fanout {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) timing: Timing,
    /// Number of connections, in all rooms together
    #[arg(long, default_value = "1000", value_parser = positive)]
    pub(crate) connections: usize,
    /// Number of senders in each room
    #[arg(long, default_value = "4", value_parser = positive)]
    pub(crate) senders: usize,
    /// Size of each message, in bytes
    #[arg(long, default_value = "64", value_parser = stamped_size)]
    pub(crate) size: usize,
    /// Closed loop: messages in flight for each sender
    #[arg(long, default_value = "8", value_parser = positive)]
    pub(crate) window: usize,
    /// Open loop instead: messages per second from all senders together
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Percentage of the receivers that do not read after the handshake
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) stalled: u8,
    /// Number of rooms; `{room}` in the URL is replaced with the room's number, from 0
    #[arg(long, default_value = "1", value_parser = positive)]
    pub(crate) rooms: usize,
}

impl Fanout {
    /// Returns the rooms and the role of each connection.
    ///
    /// # Errors
    ///
    /// If the options contradict each other.
    pub(super) fn layout(&self) -> io::Result<Layout> {
        if self.rooms > 1 && !self.common.url.has_rooms() {
            return Err(io::Error::other(
                "--rooms needs a URL with {room} in its path",
            ));
        }
        let stalled = usize::from(self.stalled);
        Layout::new(self.connections, self.rooms, self.senders, stalled).map_err(io::Error::other)
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("expected a number above 0, at most 1000000".into()),
    }
}
