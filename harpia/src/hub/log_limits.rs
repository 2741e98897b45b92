//! The limits on repeated log lines of one server. Each kind of line has its own limit, so that a
//! flood of one kind does not hide another.

use crate::close::CloseCause;
use crate::log_limit::LogLimit;

/// One limit for each kind of line. Servers in the same process do not share them.
#[derive(Debug, Default)]
pub(crate) struct LogLimits {
    /// Closed connections, by cause.
    pub(crate) closes: [LogLimit; CloseCause::COUNT],
    /// Backlogs that overflow.
    pub(crate) skipping: LogLimit,
    /// Subscriptions refused by `max_topics` or `max_topic_len`.
    pub(crate) refused_topics: LogLimit,
    /// Errors that reach the default `error` handler.
    pub(crate) errors: LogLimit,
    /// Errors of the handlers `close`, `drain` and `error`. They do not end the connection.
    pub(crate) handler_errors: LogLimit,
    /// Connection data that panics when it is dropped.
    pub(crate) drop_panics: LogLimit,
    /// Upgrades refused for their origin.
    pub(crate) refused_origins: LogLimit,
    /// Upgrades refused for another fault of the handshake.
    pub(crate) handshake_faults: LogLimit,
    /// Upgrades refused by the application.
    pub(crate) rejections: LogLimit,
    /// Upgrades for which `connect` failed.
    pub(crate) failed_connects: LogLimit,
    /// Upgrades whose connection data panicked.
    pub(crate) upgrade_panics: LogLimit,
    /// Upgrades whose connection data was not made in time.
    pub(crate) slow_openings: LogLimit,
    /// Upgrades that offer subprotocols to a route without any.
    pub(crate) unused_protocols: LogLimit,
    /// Connections of trusted proxies without a PROXY header.
    pub(crate) proxy_headers: LogLimit,
    /// Backlogs of all clients that exceed their budget.
    pub(crate) spent_budgets: LogLimit,
    /// Upgrades for a path that no route has.
    pub(crate) unknown_paths: LogLimit,
}
