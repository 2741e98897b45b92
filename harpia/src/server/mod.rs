//! The server: what a program builds, and how requests become connections.
//!
//! [`app`] is what users put together, [`check`] what its settings must be, [`router`] which path
//! leads where, [`accept`] the loop over new TCP connections, [`upgrade`] the way from a request to a connection, [`http`] all else that
//! is answered, [`shutdown`] the way out.

mod accept;
mod app;
mod check;
mod http;
mod refusal;
mod router;
mod shutdown;
mod upgrade;

pub use accept::Server;
pub use app::{App, HttpRequest};
pub use router::Router;
