//! The opening handshake: which requests are upgraded, and the response.
//!
//! Every check runs before the 101 response (RFC 6455 section 4.2.1), so no connection is upgraded
//! and then dropped. fastwebsockets computes the accept key and the standard headers of the
//! response.

use std::future::Future;
use std::sync::Arc;

use http::header::{
    ALLOW, CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::uri::Authority;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use hyper::upgrade::Upgraded;

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
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) extension: Option<Agreement>,
}

/// Why a request is not upgraded. [`Fault::status`] is the only table of statuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    Method,
    NotAnUpgrade,
    HttpVersion,
    Host,
    ConnectionHeader,
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
            Self::Version => "only version 13 of the protocol is spoken here",
            Self::Key => "the Sec-WebSocket-Key header is not 16 bytes in base64",
            Self::Origin => "pages of this origin may not connect",
            Self::Protocol => "none of the subprotocols asked for is spoken here",
        }
    }

    /// Returns headers that tell the client what to send instead (RFC 9110 section 15.5.22, RFC
    /// 6455 section 4.4).
    pub(crate) fn headers(self) -> Vec<(HeaderName, &'static str)> {
        let upgrade = [(UPGRADE, "websocket"), (CONNECTION, "upgrade")];
        match self {
            Self::NotAnUpgrade => upgrade.into(),
            Self::Version => [&[(SEC_WEBSOCKET_VERSION, "13")][..], &upgrade].concat(),
            Self::Method => vec![(ALLOW, "GET")],
            _ => Vec::new(),
        }
    }
}

/// Checks a request, and chooses the subprotocol and the extension.
pub(crate) fn check<B>(request: &Request<B>, rules: &Rules) -> Result<Negotiated, Fault> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Fault::Method);
    }
    if !has_token(headers, &UPGRADE, "websocket") {
        return Err(Fault::NotAnUpgrade);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Fault::HttpVersion);
    }
    // RFC 9112 section 3.2, RFC 6455 section 4.2.1.
    let Some(host) = host(headers) else {
        return Err(Fault::Host);
    };
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(Fault::ConnectionHeader);
    }
    if headers
        .get(SEC_WEBSOCKET_VERSION)
        .map(HeaderValue::as_bytes)
        != Some(b"13")
    {
        return Err(Fault::Version);
    }
    if !single(headers, &SEC_WEBSOCKET_KEY).is_some_and(|key| is_key(key.as_bytes())) {
        return Err(Fault::Key);
    }
    if !origin::is_allowed(headers, &host, &rules.origins) {
        return Err(Fault::Origin);
    }
    let offers = texts(headers, &SEC_WEBSOCKET_EXTENSIONS);
    Ok(Negotiated {
        protocol: choose_protocol(headers, &rules.protocols)?,
        extension: rules
            .compression
            .then(|| Agreement::choose(offers))
            .flatten(),
    })
}

/// Makes the 101 response. The future returns the connection once the response is written.
pub(crate) fn accept<B>(
    request: &mut Request<B>,
    negotiated: &Negotiated,
) -> Result<
    (
        Response<()>,
        impl Future<Output = Option<Upgraded>> + Send + use<B>,
    ),
    Fault,
> {
    let (response, upgrade) = fastwebsockets::upgrade::upgrade(request).map_err(|_| Fault::Key)?;
    let mut response = response.map(drop);
    let agreed = [
        (
            SEC_WEBSOCKET_PROTOCOL,
            negotiated.protocol.as_ref().map(|name| name.to_string()),
        ),
        (
            SEC_WEBSOCKET_EXTENSIONS,
            negotiated.extension.map(|extension| extension.to_string()),
        ),
    ];
    for (name, text) in agreed {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    let upgraded = async {
        let websocket = upgrade.await.ok()?;
        Some(websocket.into_inner().into_inner())
    };
    Ok((response, upgraded))
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
/// A second `Host` header, and one with a user name, make the request invalid.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let text = single(headers, &HOST)?.to_str().ok()?;
    let host: Authority = text.parse().ok()?;
    (!text.contains('@')).then_some(host)
}

/// Chooses the first of the route's subprotocols that the client offers.
///
/// If the client offers only other subprotocols, it would fail the connection after the handshake
/// (RFC 6455 section 4.1). It gets a rejection with a reason instead.
fn choose_protocol(headers: &HeaderMap, ours: &[Arc<str>]) -> Result<Option<Arc<str>>, Fault> {
    let theirs: Vec<&str> = tokens(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
    let chosen = ours.iter().find(|known| theirs.contains(&&***known));
    if chosen.is_none() && !ours.is_empty() && !theirs.is_empty() {
        return Err(Fault::Protocol);
    }
    Ok(chosen.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn request(change: impl FnOnce(&mut Request<()>)) -> Request<()> {
        let mut request = Request::builder()
            .uri("/chat")
            .header("host", "example.com")
            .header("upgrade", "WebSocket")
            .header("connection", "keep-alive, Upgrade")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", KEY)
            .body(())
            .unwrap();
        change(&mut request);
        request
    }

    fn with(name: &'static str, value: &str) -> Request<()> {
        let value = HeaderValue::from_str(value).unwrap();
        request(|request| drop(request.headers_mut().insert(name, value)))
    }

    fn without(name: &str) -> Request<()> {
        request(|request| drop(request.headers_mut().remove(name)))
    }

    fn fault(request: &Request<()>) -> Option<Fault> {
        check(request, &Rules::default()).err()
    }

    #[test]
    fn a_browsers_handshake_is_accepted() {
        assert_eq!(fault(&request(|_| {})), None);
        assert_eq!(fault(&with("origin", "https://example.com")), None);
    }

    #[test]
    fn each_missing_or_wrong_part_has_its_fault() {
        assert_eq!(fault(&without("upgrade")), Some(Fault::NotAnUpgrade));
        assert_eq!(
            fault(&with("connection", "close")),
            Some(Fault::ConnectionHeader)
        );
        assert_eq!(
            fault(&with("sec-websocket-version", "8")),
            Some(Fault::Version)
        );
        for key in [
            "",
            "short",
            "dGhlIHNhbXBsZSBub25jZQ=!",
            "dGhlIHNhbXBsZSBub25jZQAA",
        ] {
            assert_eq!(
                fault(&with("sec-websocket-key", key)),
                Some(Fault::Key),
                "{key}"
            );
        }
        let post = request(|request| *request.method_mut() = Method::POST);
        assert_eq!(fault(&post), Some(Fault::Method));
        let old = request(|request| *request.version_mut() = Version::HTTP_10);
        assert_eq!(fault(&old), Some(Fault::HttpVersion));
    }

    #[test]
    fn a_request_needs_exactly_one_valid_host() {
        assert_eq!(fault(&without("host")), Some(Fault::Host));
        let twice = request(|request| {
            let host = HeaderValue::from_static("example.com");
            request.headers_mut().append("host", host);
        });
        assert_eq!(fault(&twice), Some(Fault::Host));
        for wrong in [
            "",
            "a b",
            "a/b",
            "me@example.com",
            "example.com, example.com",
        ] {
            assert_eq!(fault(&with("host", wrong)), Some(Fault::Host), "{wrong}");
        }
        for right in ["localhost", "example.com:8080", "[::1]:3000", "127.0.0.1"] {
            assert_eq!(fault(&with("host", right)), None, "{right}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_an_origin_fault() {
        assert_eq!(
            fault(&with("origin", "https://evil.test")),
            Some(Fault::Origin)
        );
    }

    #[test]
    fn the_routes_first_subprotocol_that_the_client_offers_is_chosen() {
        let rules = Rules {
            origins: Origins::Same,
            protocols: vec!["chat.v2".into(), "chat.v1".into()],
            compression: false,
        };
        let protocol = |request| check(&request, &rules).map(|negotiated| negotiated.protocol);
        let chosen = |offered| protocol(with("sec-websocket-protocol", offered));
        assert_eq!(chosen("chat.v1, chat.v2"), Ok(Some("chat.v2".into())));
        assert_eq!(chosen("other"), Err(Fault::Protocol));
        assert_eq!(protocol(request(|_| {})), Ok(None));
    }
}
