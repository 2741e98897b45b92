//! The opening handshake: which requests are upgraded, and the response.
//!
//! Every check runs before the 101 response (RFC 6455 section 4.2.1), so no connection is upgraded
//! and then dropped. The checks are the same whether harpia or hyper has read the request.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version};
use sha1::{Digest, Sha1};

use crate::options::Origins;

use super::extension::Agreement;
use super::header::{has_token, single, texts, tokens};
use super::origin;

/// What a route requires of a handshake.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) origins: Origins,
    /// The subprotocols that the route speaks, best first.
    pub(crate) protocols: Vec<Arc<str>>,
    /// Whether the server accepts an offer of compression.
    pub(crate) compression: bool,
}

/// What client and server agree on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Negotiated {
    /// The value of `Sec-WebSocket-Accept`, which proves that the server has read the request.
    accept: AcceptKey,
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) extension: Option<Agreement>,
}

/// 20 bytes in base64.
type AcceptKey = [u8; 28];

/// The reason why a request is not upgraded. [`Fault::status`] is the only table of statuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Method,
    NotAnUpgrade,
    HttpVersion,
    Host,
    ConnectionHeader,
    Body,
    Version,
    Key,
    Origin,
    Protocol,
}

impl Fault {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAnUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::HttpVersion
            | Self::Host
            | Self::ConnectionHeader
            | Self::Body
            | Self::Key
            | Self::Protocol => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Method => "a WebSocket handshake is a GET",
            Self::NotAnUpgrade => "this is a WebSocket endpoint",
            Self::HttpVersion => "a WebSocket handshake needs HTTP/1.1",
            Self::Host => "a request has one Host header, with host and maybe port",
            Self::ConnectionHeader => "the Connection header lacks `Upgrade`",
            Self::Body => "a WebSocket handshake has no body",
            Self::Version => "only version 13 of the protocol is spoken here",
            Self::Key => "the Sec-WebSocket-Key header is not 16 bytes in base64",
            Self::Origin => "pages of this origin may not connect",
            Self::Protocol => "none of the subprotocols asked for is spoken here",
        }
    }

    /// Returns headers that tell the client what to send instead (RFC 9110 section 15.5.22, RFC
    /// 6455 section 4.4).
    pub(crate) fn headers(self) -> Vec<(HeaderName, &'static str)> {
        let websocket = (UPGRADE, "websocket");
        match self {
            Self::NotAnUpgrade => vec![websocket, (CONNECTION, "upgrade")],
            Self::Version => vec![
                (SEC_WEBSOCKET_VERSION, "13"),
                websocket,
                (CONNECTION, "close, upgrade"),
            ],
            Self::Method => vec![(ALLOW, "GET")],
            _ => Vec::new(),
        }
    }
}

/// Returns whether a request asks for an upgrade to WebSocket, correctly or not.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &UPGRADE, "websocket")
}

/// Checks a request, and chooses the subprotocol and the extension.
pub(crate) fn check(request: &Parts, rules: &Rules) -> Result<Negotiated, Fault> {
    let headers = &request.headers;
    if request.method != Method::GET {
        return Err(Fault::Method);
    }
    if !is_upgrade(headers) {
        return Err(Fault::NotAnUpgrade);
    }
    if request.version != Version::HTTP_11 {
        return Err(Fault::HttpVersion);
    }
    // RFC 9112 section 3.2, RFC 6455 section 4.2.1.
    let Some(host) = host(headers) else {
        return Err(Fault::Host);
    };
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(Fault::ConnectionHeader);
    }
    if has_body(headers) {
        return Err(Fault::Body);
    }
    let version = single(headers, &SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version.as_bytes() != b"13") {
        return Err(Fault::Version);
    }
    let Some(accept) = single(headers, &SEC_WEBSOCKET_KEY).and_then(accept) else {
        return Err(Fault::Key);
    };
    if !origin::is_allowed(headers, &host, &rules.origins) {
        return Err(Fault::Origin);
    }
    let offers = texts(headers, &SEC_WEBSOCKET_EXTENSIONS);
    Ok(Negotiated {
        accept,
        protocol: choose_protocol(headers, &rules.protocols)?,
        extension: rules
            .compression
            .then(|| Agreement::choose(offers))
            .flatten(),
    })
}

/// Returns whether the client offers subprotocols. It then expects one of them in the response.
pub(crate) fn offers_protocols(headers: &HeaderMap) -> bool {
    offered_protocols(headers).next().is_some()
}

impl Negotiated {
    /// Returns the bytes of the 101 response, spelled as in RFC 6455. Some embedded and older
    /// clients compare the names and values of its headers literally.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        );
        let mut line = |name: &[u8], value: &[u8]| {
            for part in [name, b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        };
        line(b"Sec-WebSocket-Accept", &self.accept);
        if let Some(protocol) = &self.protocol {
            line(b"Sec-WebSocket-Protocol", protocol.as_bytes());
        }
        if let Some(extension) = self.extension {
            line(
                b"Sec-WebSocket-Extensions",
                extension.to_string().as_bytes(),
            );
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// Returns the 101 response for hyper, which spells all names in lower case.
    pub(crate) fn to_response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        if let Ok(accept) = HeaderValue::from_bytes(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        let agreed = [
            (
                SEC_WEBSOCKET_PROTOCOL,
                self.protocol.as_ref().map(|name| name.to_string()),
            ),
            (
                SEC_WEBSOCKET_EXTENSIONS,
                self.extension.map(|extension| extension.to_string()),
            ),
        ];
        for (name, text) in agreed {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Returns the value that answers a key (RFC 6455 section 4.2.2), or `None` if the key is invalid.
fn accept(key: &HeaderValue) -> Option<AcceptKey> {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let key = key.as_bytes();
    if !is_key(key) {
        return None;
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    STANDARD.encode_slice(digest, &mut accept).ok()?;
    Some(accept)
}

/// Returns whether a request announces a body.
///
/// This server reads the bytes after a handshake as frames. A client or proxy that takes them for a
/// body would disagree with the server about where the next request begins.
fn has_body(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).into_iter();
    headers.contains_key(TRANSFER_ENCODING) || lengths.any(|length| length.as_bytes() != b"0")
}

/// Returns whether a key is 16 bytes in base64: 22 digits and `==`.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_digit)
}

/// Returns whether a request comes from a page of the host that it was sent to, or from no page.
///
/// In HTTP/2 the host is part of the URI.
pub(crate) fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    match host(headers).or_else(|| uri.authority().cloned()) {
        Some(host) => origin::is_allowed(headers, &host, &Origins::Same),
        None => !headers.contains_key(ORIGIN),
    }
}

/// Returns the host that the request was sent to.
///
/// A request is invalid if it has a second `Host` header, or one with a user name or with a port
/// that is not a number. `Authority` accepts any port, and then says that there is none.
pub(crate) fn host(headers: &HeaderMap) -> Option<Authority> {
    let text = single(headers, &HOST)?.to_str().ok()?;
    let host: Authority = text.parse().ok()?;
    let rest = text.strip_prefix(host.host())?;
    let is_port = match rest.strip_prefix(':') {
        Some("") => true,
        Some(port) => port.parse::<u16>().is_ok() && !port.starts_with('+'),
        None => rest.is_empty(),
    };
    is_port.then_some(host)
}

/// Chooses the first of the route's subprotocols that the client offers.
///
/// A client that offers only other subprotocols would fail the connection after the handshake (RFC
/// 6455 section 4.1). Such a client gets a rejection with a reason instead.
fn choose_protocol(headers: &HeaderMap, ours: &[Arc<str>]) -> Result<Option<Arc<str>>, Fault> {
    if ours.is_empty() {
        return Ok(None);
    }
    let theirs: Vec<&str> = offered_protocols(headers).collect();
    let chosen = ours.iter().find(|known| theirs.contains(&&***known));
    if chosen.is_none() && !theirs.is_empty() {
        return Err(Fault::Protocol);
    }
    Ok(chosen.cloned())
}

/// Iterates over the subprotocols that the client offers. An empty header offers none.
fn offered_protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    tokens(headers, &SEC_WEBSOCKET_PROTOCOL).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
