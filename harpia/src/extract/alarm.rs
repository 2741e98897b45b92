//! The log line for a route that reads cookies although pages of any origin may connect.

use std::sync::atomic::{AtomicBool, Ordering};

/// Warns when code reads a cookie from a handshake of a route with `origins = any`.
///
/// If the data type of such a route reads cookies, the route does not compile. This warning is for
/// code that the compiler does not see: a handler that reads a session or a token from a cookie,
/// which gets an error, and data that is made by hand.
#[derive(Debug)]
pub(crate) struct CookieAlarm {
    path: &'static str,
    has_rung: AtomicBool,
}

impl CookieAlarm {
    pub(crate) fn new(path: &'static str) -> Self {
        Self {
            path,
            has_rung: AtomicBool::new(false),
        }
    }

    /// Logs the warning once. A line for each handshake would let an attacker fill the log.
    pub(crate) fn ring(&self) {
        if !self.has_rung.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                path = self.path,
                "this route reads cookies, and `origins = any` lets every page connect and act \
                 for its visitors: name the origins that may"
            );
        }
    }
}
