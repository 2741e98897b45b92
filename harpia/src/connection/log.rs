//! The log lines of a connection: its close, and the first message that is dropped for its client.
//!
//! Repeated lines are limited, so a flood of clients cannot flood the log.

use crate::close::{Close, Visibility};
use crate::route::Route;

use super::phase::Step;
use super::task::Connection;

impl<R: Route> Connection<R> {
    pub(super) fn log_close(&self, close: &Close) {
        let limits = self.hub.log_limits();
        let row = close.cause.row();
        let (code, reason) = (close.frame.code, &*close.frame.reason);
        let (id, cause) = (self.transport.id(), row.label);
        match row.visibility {
            Visibility::Ordinary => tracing::debug!(
                connection = %id, route = R::PATH, cause, %code, reason, "connection closed"
            ),
            Visibility::Policy => {
                if let Some(suppressed) = limits.closes[close.cause as usize].admit() {
                    tracing::info!(
                        connection = %id, route = R::PATH, cause, %code, reason, suppressed,
                        "connection closed"
                    );
                }
            }
            Visibility::Fault => {
                if let Some(suppressed) = limits.closes[close.cause as usize].admit() {
                    tracing::warn!(
                        connection = %id, route = R::PATH, cause, %code, reason, suppressed,
                        "connection closed"
                    );
                }
            }
        }
    }

    /// Logs that the backlog is full and messages are left out until all of it is written.
    pub(super) fn log_skipping(&self) -> Step {
        if let Some(suppressed) = self.hub.log_limits().skipping.admit() {
            tracing::info!(
                connection = %self.transport.id(), route = R::PATH,
                skipped = self.transport.skipped(), suppressed,
                "slow consumer: messages are left out until its backlog is written"
            );
        }
        Step::Again
    }
}
