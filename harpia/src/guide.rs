//! The guide: one task per page, with complete programs.
//!
//! | page | answers |
//! |---|---|
//! | [First route](first_route) | handlers, arguments, results, several routes, logging |
//! | [Connection data](connection_data) | cookies, headers, query, path; state that is shared |
//! | [Broadcasting and rooms](broadcasting) | who gets a message, and how to send from elsewhere |
//! | [Snapshot, then every update](snapshot_then_updates) | the current state first, then every change |
//! | [Who is here](who_is_here) | a list of who is online |
//! | [Authentication](authentication) | sessions, tokens, a token as the first message |
//! | [Limits and slow consumers](limits) | every limit, its default and its reason |
//! | [Closing](closing) | close codes, causes, shutdown |
//! | [Testing](testing) | a server on port 0, and a client |
//! | [Deploying](deploying) | a proxy, open files, systemd |
//! | [Security](security) | the attacks that were tried, and what stays your job |
//! | [From Socket.IO](from_socket_io) | names and differences |
//! | [From Bun and the original Harpia](from_bun) | names and differences |
//! | [From axum's `ws`](from_axum) | names and differences |
//! | [Questions and answers](faq) | questions that users of such systems ask |
//!
//! The programs are compiled and run as tests.

/// A first route: handlers, arguments, results, several routes, logging.
///
#[doc = include_str!("../guide/first-route.md")]
pub mod first_route {}

/// Connection data: cookies, headers, query, path, and state that is shared.
///
#[doc = include_str!("../guide/connection-data.md")]
pub mod connection_data {}

/// Broadcasting and rooms: who gets a message, and how to send from elsewhere.
///
#[doc = include_str!("../guide/broadcasting.md")]
pub mod broadcasting {}

/// Snapshot, then every update: a client that joins misses nothing.
///
#[doc = include_str!("../guide/snapshot-then-updates.md")]
pub mod snapshot_then_updates {}

/// Who is here: a list of who is online, kept up to date.
///
#[doc = include_str!("../guide/who-is-here.md")]
pub mod who_is_here {}

/// Authentication: sessions, tokens, and a token as the first message.
///
/// Its programs need the features `jwt` and `session`.
#[cfg_attr(
    all(feature = "jwt", feature = "session"),
    doc = concat!("\n", include_str!("../guide/authentication.md"))
)]
pub mod authentication {}

/// Limits and slow consumers: every limit, its default and its reason.
///
#[doc = include_str!("../guide/limits.md")]
pub mod limits {}

/// Closing: close codes, causes, and shutdown.
///
#[doc = include_str!("../guide/closing.md")]
pub mod closing {}

/// Testing a route: a server on port 0, and a client.
///
#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

/// Deploying: a proxy, open files, systemd.
///
#[doc = include_str!("../guide/deploying.md")]
pub mod deploying {}

/// Security: the attacks that were tried, and what stays your job.
///
#[doc = include_str!("../guide/security.md")]
pub mod security {}

/// From Socket.IO: names and differences.
///
#[doc = include_str!("../guide/from-socket-io.md")]
pub mod from_socket_io {}

/// From Bun and the original Harpia: names and differences.
///
#[doc = include_str!("../guide/from-bun.md")]
pub mod from_bun {}

/// From axum's `ws`: names and differences.
///
#[doc = include_str!("../guide/from-axum.md")]
pub mod from_axum {}

/// Questions and answers: what users of such systems ask.
///
#[doc = include_str!("../guide/faq.md")]
pub mod faq {}
