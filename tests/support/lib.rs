//! The test kit: a server on a free port, two kinds of clients, and waits with a timeout.
//!
//! - [`TestServer`] serves an app on a free port.
//! - [`Client`] wraps tokio-tungstenite. It is an independent implementation, so it checks our
//!   reading of the protocol against another one.
//! - [`RawClient`] reads and writes bytes. It sends frames that no correct client sends.
//! - [`Events`] collects what handlers report, [`Log`] what the server logs.
//! - [`Program`] runs an example program, [`RedisServer`] a Redis server, and [`Nginx`] an nginx.
//! - [`CertificateFiles`] and [`start_tls`] are for tests of TLS.
//!
//! Nothing here sleeps: a test waits for an event.

mod client;
mod events;
mod log;
mod nginx;
mod program;
mod raw;
mod redis;
mod server;
mod tls;

use std::time::Duration;

pub use client::Client;
pub use events::Events;
pub use log::Log;
pub use nginx::Nginx;
pub use program::Program;
pub use raw::{Frame, RawClient, handshake, masked, status};
pub use redis::RedisServer;
pub use server::TestServer;
pub use tls::{CertificateFiles, self_signed, start_tls};

/// Awaits a future that must complete.
///
/// # Panics
///
/// If the future takes longer than 20 seconds. Even a busy machine needs less.
pub async fn within<F: Future>(future: F) -> F::Output {
    match tokio::time::timeout(Duration::from_secs(20), future).await {
        Ok(output) => output,
        Err(_) => panic!("this did not happen within 20 seconds"),
    }
}
