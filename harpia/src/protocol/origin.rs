//! Origins of pages (RFC 6454): their grammar, and which of them may connect.

use std::net::Ipv6Addr;

use http::header::{FORWARDED, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName};

use crate::options::Origins;

use super::header::{single, texts};

/// Returns whether the page that sent a request may connect.
///
/// Programs that are not browsers send no `Origin` header. Browsers always send it, and a page
/// cannot forge it.
pub(crate) fn is_allowed(headers: &HeaderMap, host: &Authority, allowed: &Origins) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let text = single(headers, &ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin = text.and_then(Origin::parse);
    match allowed {
        Origins::Any => true,
        Origins::Same => origin.is_some_and(|origin| origin.is_of_host(host, is_tls(headers))),
        Origins::Only(_) | Origins::Listed(_) => origin.is_some_and(|origin| {
            let mut list = allowed.list();
            list.any(|text| Origin::parse(text).as_ref() == Some(&origin))
        }),
    }
}

/// The origin of a page.
#[derive(Debug, Eq, PartialEq)]
enum Origin {
    /// `null`: a page without an origin of its own, such as a sandboxed frame or a local file.
    Null,
    Tuple {
        scheme: String,
        host: Host,
        /// The port, or the scheme's default. Schemes such as `tauri` have no default.
        port: Option<u16>,
    },
}

/// A host in the spelling in which hosts are compared.
#[derive(Debug, Eq, PartialEq)]
enum Host {
    V6(Ipv6Addr),
    /// A name or an IPv4 address, in lower case.
    Name(String),
}

impl Host {
    /// Reads a host that is known to be valid.
    fn new(text: &str) -> Self {
        let address = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match address.and_then(|address| address.parse().ok()) {
            Some(address) => Self::V6(address),
            None => Self::Name(text.to_ascii_lowercase()),
        }
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        if text == "null" {
            return Some(Self::Null);
        }
        let (scheme, host, port) = split(text)?;
        let scheme = scheme.to_ascii_lowercase();
        Some(Self::Tuple {
            host: Host::new(host),
            port: port.or(default_port(&scheme)),
            scheme,
        })
    }

    /// Returns whether this is a web page of the host that the request was sent to.
    ///
    /// Compares host and port only, since a request does not carry its scheme. `is_tls` says
    /// whether a proxy reports that the request came over TLS. If so, a page that came without TLS
    /// may not connect: an attacker on the network may have written that page.
    fn is_of_host(&self, authority: &Authority, is_tls: bool) -> bool {
        let Self::Tuple { scheme, host, port } = self else {
            return false;
        };
        let is_web = match scheme.as_str() {
            "https" => true,
            "http" => !is_tls,
            _ => false,
        };
        let own_port = authority.port_u16().or(default_port(scheme));
        is_web && *port == own_port && *host == Host::new(authority.host())
    }
}

/// Returns whether the proxy nearest to the client reports that the request came over TLS.
///
/// The header needs no trust, because it only leads to more rejections. A client that forges the
/// header can only lock itself out.
fn is_tls(headers: &HeaderMap) -> bool {
    let proto = first(headers, &X_FORWARDED_PROTO);
    let pairs = first(headers, &FORWARDED).into_iter();
    let pairs = pairs.flat_map(|text| text.split(';')).map(pair);
    let forwarded = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("proto"));
    proto
        .into_iter()
        .chain(forwarded.map(|(_, value)| value))
        .any(|scheme| {
            ["https", "wss"]
                .iter()
                .any(|tls| tls.eq_ignore_ascii_case(scheme))
        })
}

/// Returns the first value of a comma-separated list.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    texts(headers, name)
        .next()?
        .split(',')
        .next()
        .map(str::trim)
}

/// Splits a parameter of `Forwarded` (RFC 7239 section 4). Its value may be quoted.
fn pair(text: &str) -> (&str, &str) {
    let (name, value) = text.split_once('=').unwrap_or_default();
    (name.trim(), value.trim().trim_matches('"'))
}

pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Returns whether a text is an origin as browsers send it (RFC 6454 section 6.2): `null`, or a
/// scheme, a host, and optionally a port.
///
/// `harpia-macros` has the same rule for attributes.
pub(crate) fn is_origin(text: &str) -> bool {
    text == "null" || split(text).is_some()
}

/// Splits an origin into its scheme, its host and its port.
fn split(text: &str) -> Option<(&str, &str, Option<u16>)> {
    let (scheme, authority) = text.split_once("://")?;
    let is_host_char = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let (host, port) = if authority.starts_with('[') {
        let (host, port) = authority.split_at(authority.find(']')? + 1);
        let address: Result<Ipv6Addr, _> = host[1..host.len() - 1].parse();
        address.is_ok().then_some((host, port))?
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let is_host = !host.is_empty() && host.chars().all(is_host_char);
        is_host.then_some((host, port))?
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    is_scheme(scheme).then_some((scheme, host, port))
}

/// Returns whether a text is a scheme of pages (RFC 3986 section 3.1). `ws` and `wss` are schemes
/// of WebSocket URLs, and no page has them.
fn is_scheme(text: &str) -> bool {
    let is_rest = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_socket = ["ws", "wss"].iter().any(|ws| ws.eq_ignore_ascii_case(text));
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_rest) && !is_socket
}

#[cfg(test)]
mod tests;
