//! Fan-out: some connections send, and the server passes each message on to all others in the room.
//!
//! In a closed loop, each sender keeps a fixed number of messages in flight, so that the server is
//! as busy as possible. A message has arrived when all probes, a sample of the receivers, have
//! received it.
//!
//! In an open loop, messages leave at a fixed rate, whatever the server does. The result is their
//! latency.
//!
//! Imports point down: [`clients`], [`receiver`], [`traffic`], then [`sender`], [`counters`],
//! [`layout`], [`sequence`] and [`options`].

mod clients;
mod counters;
mod layout;
mod options;
mod receiver;
mod sender;
mod sequence;
mod traffic;

use std::io;

pub(crate) use self::clients::Clients;
pub(crate) use self::options::Fanout;
use crate::report::Report;

impl Fanout {
    pub(crate) async fn run(&self) -> io::Result<Report> {
        let clients = Clients::connect(self).await?;
        clients.start();
        let measured = clients.measure(|| {}).await;
        Ok(clients.report(&measured).await)
    }
}
