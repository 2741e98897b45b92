//! Tests of harpia's contract over real sockets: everything that a client can observe.
//!
//! Each module covers one subject. Each test defines the routes that it needs. The client is
//! tokio-tungstenite, or one that reads and writes bytes.

mod admission;
mod auth;
mod backpressure;
mod broadcast;
mod budgets;
mod close;
mod close_causes;
mod compression;
mod connect;
mod deadlines;
mod extract;
mod handler_failures;
mod handlers;
mod handshake;
mod held_publishes;
mod hub;
mod jwt;
mod limits;
mod listen;
mod messages;
mod open;
mod opening;
mod options;
mod protocol;
mod proxy_protocol;
mod rates;
mod routing;
mod session;
mod sharing;
mod shutdown;
mod startup;
mod timeouts;
mod tls;
mod topics;
