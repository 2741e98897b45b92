//! The log's warning that a cookie is trusted where any page may connect.

use std::sync::atomic::{AtomicBool, Ordering};

/// Belongs to a route with `origins = any`; what reads a cookie of its handshakes rings it.
///
/// A route whose data says that it reads cookies does not compile. This is for what only the
/// reading itself shows: a handler that asks for a session or a token, which gets an error, and
/// data that is made by hand.
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

    /// Warns, once: a line for each handshake would be one for each that an attacker sends.
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
