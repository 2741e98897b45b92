//! Origins of pages (RFC 6454): how they are written, and which may connect.

use std::net::Ipv6Addr;

use http::Uri;
use http::uri::Authority;

use crate::limits::OriginPolicy;

/// Scheme, host and port of a page (RFC 6454).
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        Some(Self {
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().or(default_port(&scheme))?,
            scheme,
        })
    }

    /// Says whether the policy lets this page connect to this host.
    pub(super) fn is_allowed(&self, host: &Authority, policy: &OriginPolicy) -> bool {
        let is_listed = match policy {
            OriginPolicy::Any => true,
            OriginPolicy::Same => false,
            OriginPolicy::Only(list) => list
                .iter()
                .any(|text| Self::parse(text).as_ref() == Some(self)),
        };
        is_listed || self.is_of_host(host)
    }

    /// The request does not tell its scheme, behind a proxy least of all: host and port decide.
    fn is_of_host(&self, host: &Authority) -> bool {
        let port = host.port_u16().or(default_port(&self.scheme));
        host.host().eq_ignore_ascii_case(&self.host) && port == Some(self.port)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Says whether a page's origin may be written so: scheme, host and maybe a port, nothing more.
///
/// The same as in harpia-macros' value.rs, which checks attributes.
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
mod tests {
    use super::*;

    /// The same table as in harpia-macros' value.rs.
    const ORIGINS: [&str; 7] = [
        "https://example.com",
        "http://localhost:3000",
        "https://127.0.0.1",
        "https://[::1]",
        "https://[::1]:8443",
        "HTTPS://my_app",
        "https://xn--bcher-kva.example",
    ];

    /// The same table as in harpia-macros' value.rs.
    const NO_ORIGINS: [&str; 27] = [
        "",
        "null",
        "*",
        "example.com",
        "//example.com",
        "https://",
        "https://:80",
        "https://a/",
        "https://a/b",
        "https://a?b",
        "https://a#b",
        "https://a:x",
        "https://a:",
        "https://a:+80",
        "https://a:65536",
        "https://a:1:2",
        "https://me@a",
        "https://*.example.com",
        "https://bücher.example",
        "https://::1",
        "https://[::1",
        "https://[]",
        "https://[a]",
        "https://[::1]a",
        "https://a[::1]",
        "ws://a",
        "https://a b",
    ];

    #[test]
    fn an_origin_is_written_with_scheme_and_host_alone() {
        for right in ORIGINS {
            assert!(
                is_origin(right) && Origin::parse(right).is_some(),
                "{right}"
            );
        }
        for wrong in NO_ORIGINS {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
