//! Origins of pages (RFC 6454): their grammar, and which of them may connect.

use std::net::Ipv6Addr;

use http::header::{FORWARDED, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Uri};

use crate::options::Origins;

use super::header::{single, texts};

/// Returns whether the page that sent a request may connect.
///
/// Programs send no `Origin` header. Browsers always do, and a page cannot forge it.
pub(super) fn is_allowed(headers: &HeaderMap, host: &Authority, allowed: &Origins) -> bool {
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let text = single(headers, &ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin = text.and_then(Origin::parse);
    match allowed {
        Origins::Any => true,
        Origins::Same => origin.is_some_and(|origin| {
            origin.is_of_host(host) && !(origin.is_plain() && is_tls(headers))
        }),
        Origins::Only(_) | Origins::Listed(_) => origin.is_some_and(|origin| {
            let mut list = allowed.list();
            list.any(|text| Origin::parse(text).as_ref() == Some(&origin))
        }),
    }
}

/// The scheme, host and port of a page.
#[derive(Debug, Eq, PartialEq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        if !is_origin(text) {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        Some(Self {
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().or(default_port(&scheme))?,
            scheme,
        })
    }

    /// Compares host and port only, since a request does not carry its scheme.
    fn is_of_host(&self, host: &Authority) -> bool {
        let port = host.port_u16().or(default_port(&self.scheme));
        host.host().eq_ignore_ascii_case(&self.host) && port == Some(self.port)
    }

    /// Returns whether an attacker on the network could have written the page.
    fn is_plain(&self) -> bool {
        self.scheme == "http"
    }
}

/// Returns whether the proxy nearest to the client reports that the request came over TLS.
///
/// The header needs no trust. It only leads to more rejections, so a client that forges it can only
/// lock itself out.
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

/// Splits a parameter of `Forwarded` (RFC 7239 section 4), whose value may be quoted.
fn pair(text: &str) -> (&str, &str) {
    let (name, value) = text.split_once('=').unwrap_or_default();
    (name.trim(), value.trim().trim_matches('"'))
}

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Returns whether a text is an origin: a scheme, a host, and optionally a port.
///
/// `harpia-macros` has the same rule for attributes.
pub(crate) fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let is_http = |known: &str| scheme.eq_ignore_ascii_case(known);
    let (is_host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            let is_host_char = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            (!host.is_empty() && host.chars().all(is_host_char), port)
        }
    };
    let is_port = match port.strip_prefix(':') {
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    ["http", "https"].into_iter().any(is_http) && is_host && is_port
}

#[cfg(test)]
mod tests;
