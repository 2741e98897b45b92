//! What can be observed from outside: every sentence of the contract, over real sockets.
//!
//! One binary, a module for each subject. Each test states one behaviour in its name and defines
//! the routes that it needs; the client is not ours.

mod auth;
mod backpressure;
mod broadcast;
mod causes;
mod close;
mod compression;
mod endings;
mod extract;
mod failures;
mod handshake;
mod jwt;
mod keepalive;
mod lifecycle;
mod limits;
mod messages;
mod opening;
mod protocol;
mod routing;
mod session;
mod settings;
mod sharing;
mod shutdown;
mod startup;
mod timers;
mod topics;
