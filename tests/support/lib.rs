//! The test kit: a server on a free port, two kinds of clients, and waiting that ends.
//!
//! [`Client`] is tokio-tungstenite, which is not ours, so that what we believe about the protocol
//! is checked by another's reading of it. [`RawClient`] writes and reads bytes, for what no proper
//! client sends. [`Events`] is what handlers tell, [`Log`] what is logged. [`Program`] is an example as a user runs it, [`RedisServer`] a
//! Redis. Nothing here sleeps: whoever waits, waits for an event.

mod client;
mod events;
mod log;
mod program;
mod raw;
mod redis;
mod server;

use std::time::Duration;

pub use client::Client;
pub use events::Events;
pub use log::Log;
pub use program::Program;
pub use raw::{Frame, RawClient, masked};
pub use redis::RedisServer;
pub use server::TestServer;

/// Waits for something that has to happen, and panics if it does not.
///
/// # Panics
///
/// After 20 seconds, which even a busy machine does not need.
pub async fn within<F: Future>(future: F) -> F::Output {
    match tokio::time::timeout(Duration::from_secs(20), future).await {
        Ok(output) => output,
        Err(_) => panic!("this did not happen within 20 seconds"),
    }
}
