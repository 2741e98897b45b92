//! The log lines of refused upgrades. They tell an operator why a client cannot connect.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName};

use crate::extract::Rejection;
use crate::log_limit::LogLimit;
use crate::protocol::handshake::Fault;

// One limit for each kind of line, so that a flood of bad handshakes does not hide a refused
// origin.
static ORIGINS: LogLimit = LogLimit::new();
static FAULTS: LogLimit = LogLimit::new();
static REJECTIONS: LogLimit = LogLimit::new();
static PANICS: LogLimit = LogLimit::new();
static UNKNOWN_PATHS: LogLimit = LogLimit::new();

/// Logs a handshake that breaks a rule. A request that is not an upgrade is ordinary, and logged at
/// level `DEBUG`.
pub(super) fn log_fault(fault: Fault, path: &str, headers: &HeaderMap) {
    let (status, reason) = (fault.status().as_u16(), fault.message());
    if matches!(fault, Fault::Method | Fault::NotAnUpgrade) {
        tracing::debug!(path, status, reason, "upgrade refused");
        return;
    }
    let limit = match fault {
        Fault::Origin => &ORIGINS,
        _ => &FAULTS,
    };
    let Some(suppressed) = limit.admit() else {
        return;
    };
    if fault == Fault::Origin {
        let (origin, host) = (text(headers, ORIGIN), text(headers, HOST));
        tracing::info!(
            path,
            status,
            origin,
            host,
            suppressed,
            "upgrade refused: the page's origin is not allowed; add it to `origins`, or make the \
             proxy in front of this server forward the `Host` header"
        );
    } else {
        tracing::info!(path, status, reason, suppressed, "upgrade refused");
    }
}

/// Logs a rejection by `FromHandshake` or by a path parameter.
pub(super) fn log_rejection(rejection: &Rejection, path: &str) {
    if let Some(suppressed) = REJECTIONS.admit() {
        let (status, reason) = (rejection.status().as_u16(), rejection.message());
        tracing::info!(path, status, reason, suppressed, "upgrade refused");
    }
}

/// Logs a panic in `FromHandshake` or in parsing a path parameter.
pub(super) fn log_panic(panic: &str, path: &str) {
    if let Some(suppressed) = PANICS.admit() {
        tracing::error!(path, suppressed, "connection data panicked: {panic}");
    }
}

/// Logs an upgrade for a path that no route has.
pub(super) fn log_unknown_path(path: &str) {
    if let Some(suppressed) = UNKNOWN_PATHS.admit() {
        tracing::info!(
            path,
            status = 404,
            suppressed,
            "upgrade refused: no route has this path"
        );
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
