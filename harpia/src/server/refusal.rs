//! Refused upgrades: the response, and the log line that tells an operator why a client cannot
//! connect.

use std::borrow::Cow;
use std::time::SystemTime;
use std::{error, fmt, iter};

#[cfg(feature = "jwt")]
use http::header::WWW_AUTHENTICATE;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

#[cfg(feature = "jwt")]
use crate::auth::TokenError;
use crate::extract::Rejection;
use crate::hub::LogLimits;
use crate::protocol::handshake::Fault;
#[cfg(feature = "session")]
use crate::session::SessionError;

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
            "HTTP/1.1 {status} {reason}\r\nContent-Length: {length}\r\nDate: {}\r\n",
            httpdate::fmt_http_date(now)
        );
        if self.headers.get(CONTENT_TYPE).is_none() {
            head.push_str("Content-Type: text/plain; charset=utf-8\r\n");
        }
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

impl From<&Rejection> for Refusal {
    fn from(rejection: &Rejection) -> Self {
        Self {
            status: rejection.status(),
            headers: rejection.headers().cloned().unwrap_or_default(),
            message: rejection.message().to_owned().into(),
        }
    }
}

/// Logs an error of `connect`, `FromHandshake` or a path parameter, and returns the response.
///
/// The first error of the chain that [`meaning`] knows decides the response. All other errors are
/// mistakes or failures of the application, and the client learns nothing of them.
pub(super) fn of_error(
    limits: &LogLimits,
    error: &(dyn error::Error + Send + Sync + 'static),
    path: &str,
) -> Refusal {
    let first: &(dyn error::Error + 'static) = error;
    let mut chain = iter::successors(Some(first), |error| error.source());
    if let Some(refusal) = chain.find_map(meaning) {
        if let Some(suppressed) = limits.rejections.admit() {
            let (status, reason) = (refusal.status.as_u16(), Causes(first));
            tracing::info!(path, status, %reason, suppressed, "upgrade refused");
        }
        return refusal;
    }
    if let Some(suppressed) = limits.failed_connects.admit() {
        let (status, error) = (500, Causes(first));
        tracing::error!(path, status, %error, suppressed, "upgrade refused: `connect` failed");
    }
    Refusal::internal_error()
}

/// Returns the response for an error that is about the request.
fn meaning(error: &(dyn error::Error + 'static)) -> Option<Refusal> {
    if let Some(rejection) = error.downcast_ref::<Rejection>() {
        return Some(rejection.into());
    }
    #[cfg(feature = "jwt")]
    if let Some(token) = error.downcast_ref::<TokenError>() {
        let mut refusal = Refusal::new(StatusCode::UNAUTHORIZED, token.to_string());
        let scheme = HeaderValue::from_static("Bearer");
        refusal.headers.insert(WWW_AUTHENTICATE, scheme);
        return Some(refusal);
    }
    #[cfg(feature = "session")]
    if let Some(SessionError::NotFound) = error.downcast_ref::<SessionError>() {
        return Some(Refusal::new(StatusCode::UNAUTHORIZED, "log in first"));
    }
    None
}

/// Prints an error and its causes in one line.
struct Causes<'a>(&'a (dyn error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        for cause in iter::successors(self.0.source(), |error| error.source()) {
            write!(f, ": {cause}")?;
        }
        Ok(())
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

/// Logs a panic in `connect`, in `FromHandshake` or in parsing a path parameter.
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
