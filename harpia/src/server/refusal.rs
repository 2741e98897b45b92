//! Refused upgrades: the response, and the log line that tells an operator why a client cannot
//! connect.

use std::borrow::Cow;
use std::time::SystemTime;

use http::header::{CONNECTION, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::extract::Rejection;
use crate::hub::LogLimits;
use crate::protocol::handshake::Fault;

use super::http::{Body, text};

/// The response to an upgrade that is refused. The connection is closed after it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    headers: HeaderMap,
    message: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            message: message.into(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found")
    }

    pub(super) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    /// Returns the bytes of the response. `without_body` is for the response to a `HEAD`.
    pub(super) fn to_bytes(&self, now: SystemTime, without_body: bool) -> Vec<u8> {
        let status = self.status.as_str();
        let reason = self.status.canonical_reason().unwrap_or_default();
        let length = self.message.len() + 1;
        let mut head = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\nDate: {}\r\n",
            httpdate::fmt_http_date(now)
        );
        if self.headers.get(CONNECTION).is_none() {
            head.push_str("Connection: close\r\n");
        }
        let mut bytes = head.into_bytes();
        for (name, value) in &self.headers {
            write_name(&mut bytes, name);
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        if !without_body {
            bytes.extend_from_slice(self.message.as_bytes());
            bytes.push(b'\n');
        }
        bytes
    }

    /// Returns the response for hyper, which closes the connection after it.
    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = text(self.status, &self.message);
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let mut refusal = Self::new(fault.status(), fault.message());
        for (name, value) in fault.headers() {
            refusal
                .headers
                .insert(name, HeaderValue::from_static(value));
        }
        refusal
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.status(), rejection.message().to_owned())
    }
}

/// Writes the name of a header as its RFC spells it, as in `Retry-After`.
fn write_name(bytes: &mut Vec<u8>, name: &HeaderName) {
    for (at, word) in name.as_str().split('-').enumerate() {
        if at > 0 {
            bytes.push(b'-');
        }
        match word {
            "websocket" => bytes.extend_from_slice(b"WebSocket"),
            "www" => bytes.extend_from_slice(b"WWW"),
            _ => {
                let (first, rest) = word.split_at(word.len().min(1));
                bytes.extend(first.bytes().map(|byte| byte.to_ascii_uppercase()));
                bytes.extend_from_slice(rest.as_bytes());
            }
        }
    }
}

/// Logs a handshake that breaks a rule. A request that is not an upgrade is ordinary, and logged at
/// level `DEBUG`.
pub(super) fn log_fault(limits: &LogLimits, fault: Fault, path: &str, headers: &HeaderMap) {
    let (status, reason) = (fault.status().as_u16(), fault.message());
    if matches!(fault, Fault::Method | Fault::NotAnUpgrade) {
        tracing::debug!(path, status, reason, "upgrade refused");
        return;
    }
    let limit = match fault {
        Fault::Origin => &limits.refused_origins,
        _ => &limits.handshake_faults,
    };
    let Some(suppressed) = limit.admit() else {
        return;
    };
    if fault == Fault::Origin {
        let (origin, host) = (value(headers, ORIGIN), value(headers, HOST));
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
pub(super) fn log_rejection(limits: &LogLimits, rejection: &Rejection, path: &str) {
    if let Some(suppressed) = limits.rejections.admit() {
        let (status, reason) = (rejection.status().as_u16(), rejection.message());
        tracing::info!(path, status, reason, suppressed, "upgrade refused");
    }
}

/// Logs that the application took too long to make a connection's data, and returns the refusal.
pub(super) fn too_slow(limits: &LogLimits, route: &str) -> Refusal {
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is too slow");
    if let Some(suppressed) = limits.slow_openings.admit() {
        let status = refusal.status.as_u16();
        tracing::warn!(
            route,
            status,
            suppressed,
            "upgrade refused: the connection's data was not made within `handshake_timeout`"
        );
    }
    refusal
}

/// Logs that a client offers subprotocols to a route without any.
pub(super) fn log_unused_protocols(limits: &LogLimits, path: &str) {
    if let Some(suppressed) = limits.unused_protocols.admit() {
        tracing::info!(
            path,
            suppressed,
            "the client offers subprotocols, and the route has none: a browser closes such a \
             connection; name the subprotocols in the route's `protocols`"
        );
    }
}

/// Logs a panic in `FromHandshake` or in parsing a path parameter.
pub(super) fn log_panic(limits: &LogLimits, panic: &str, path: &str) {
    if let Some(suppressed) = limits.upgrade_panics.admit() {
        tracing::error!(path, suppressed, "connection data panicked: {panic}");
    }
}

/// Logs an upgrade for a path that no route has.
pub(super) fn log_unknown_path(limits: &LogLimits, path: &str) {
    if let Some(suppressed) = limits.unknown_paths.admit() {
        tracing::info!(
            path,
            status = 404,
            suppressed,
            "upgrade refused: no route has this path"
        );
    }
}

fn value(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}
