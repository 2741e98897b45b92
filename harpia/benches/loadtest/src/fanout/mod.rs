//! Fan-out: some connections send, and the server passes each message on to all others in the room.
//!
//! In a closed loop a sender has a number of messages under way, and a message has arrived when
//! the slowest of some probes has it: the server is as busy as it can be. In an open loop messages
//! leave at their time, whatever the server does: what counts is how late they arrive.

mod crowd;
mod receiver;
mod sender;
mod sequence;
mod shape;

use std::io;

use clap::Args;

pub(crate) use self::crowd::Crowd;
use self::shape::Shape;
use crate::options::{Common, Timing, positive, stamped_size};
use crate::report::Report;

/// The options of `loadtest fanout`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Fanout {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) timing: Timing,
    /// Connections, all rooms together
    #[arg(long, default_value = "1000", value_parser = positive)]
    pub(crate) connections: usize,
    /// Connections of each room that send
    #[arg(long, default_value = "4", value_parser = positive)]
    pub(crate) senders: usize,
    /// Bytes of each message
    #[arg(long, default_value = "64", value_parser = stamped_size)]
    pub(crate) size: usize,
    /// Closed loop: messages that each sender has under way
    #[arg(long, default_value = "8", value_parser = positive)]
    pub(crate) window: usize,
    /// Open loop instead: messages per second, all senders together
    #[arg(long, value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Percent of the receivers that stop reading after the handshake
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) stalled: u8,
    /// Rooms that do not hear each other; `{room}` in the URL is their number
    #[arg(long, default_value = "1", value_parser = positive)]
    pub(crate) rooms: usize,
}

impl Fanout {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let crowd = Crowd::gather(self).await?;
        crowd.start();
        let measured = crowd.measure(|| {}).await;
        Ok(crowd.report(&measured).await)
    }

    fn shape(&self) -> io::Result<Shape> {
        if self.rooms > 1 && !self.common.url.has_rooms() {
            return Err(io::Error::other(
                "several rooms need a URL with {room} in its path",
            ));
        }
        let stalled = usize::from(self.stalled);
        Shape::new(self.connections, self.rooms, self.senders, stalled).map_err(io::Error::other)
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("a number above 0, at most 1000000".into()),
    }
}
