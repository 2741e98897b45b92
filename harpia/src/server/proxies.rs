//! The address of a client behind proxies that the operator trusts.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::error::{Error, Result};
use crate::extract::RemoteAddr;

/// The header in which trusted proxies name their clients.
///
/// ```
/// use harpia::{App, ForwardedHeader};
///
/// let app = App::new()
///     .trusted_proxies(["10.0.0.0/8"])
///     .forwarded_header(ForwardedHeader::Forwarded);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`. This is the default.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies that the operator trusts, and how they name their clients.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    networks: Vec<IpNet>,
    /// Whether clients of Unix sockets are proxies.
    unix: bool,
    pub(crate) header: ForwardedHeader,
    /// Whether the proxies send a PROXY header at the start of each connection.
    pub(super) has_proxy_protocol: bool,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl Proxies {
    /// Trusts an address, a network, or `unix`.
    pub(crate) fn trust(&mut self, text: &str) -> Result {
        if text == "unix" {
            self.unix = true;
            return Ok(());
        }
        let network = text
            .parse()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network.map_err(|_| Error::Config {
            message: format!(
                "`{text}` is not a trusted proxy: write an address, a network such as `10.0.0.0/8`, \
                 or `unix`"
            ),
        })?;
        self.networks.push(network);
        Ok(())
    }

    /// Reports settings that contradict each other.
    pub(super) fn check(&self) -> Result {
        if self.has_proxy_protocol && self.networks.is_empty() && !self.unix {
            return Err(Error::Config {
                message: "`proxy_protocol` needs `trusted_proxies`: harpia reads the header of \
                          no other client"
                    .into(),
            });
        }
        Ok(())
    }

    /// Returns whether a peer has to start with a PROXY header.
    pub(super) fn must_send_header(&self, peer: RemoteAddr) -> bool {
        self.has_proxy_protocol && self.trusts(peer)
    }

    /// Returns the address of the client that has sent a request: the last address in the header
    /// that is not a trusted proxy. Addresses that the client itself has written stand before it.
    pub(crate) fn client(&self, peer: RemoteAddr, headers: &HeaderMap) -> RemoteAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let mut nearest = peer;
        for address in self.forwarded(headers).into_iter().rev() {
            // An address that cannot be read, such as `unknown`, hides all addresses before it.
            let Some(address) = address else { break };
            nearest = address.into();
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }

    /// Returns whether this is the address of a trusted proxy.
    pub(crate) fn trusts(&self, address: RemoteAddr) -> bool {
        match address.ip() {
            Some(ip) => {
                let ip = ip.to_canonical();
                self.networks.iter().any(|network| network.contains(&ip))
            }
            None => self.unix,
        }
    }

    /// Returns the addresses of the header in order, with `None` for each that cannot be read.
    fn forwarded(&self, headers: &HeaderMap) -> Vec<Option<SocketAddr>> {
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => FORWARDED,
        };
        let values = headers.get_all(name).into_iter();
        let entries = values.flat_map(|value| value.to_str().unwrap_or("?").split(','));
        entries.map(|entry| self.address(entry)).collect()
    }

    fn address(&self, entry: &str) -> Option<SocketAddr> {
        match self.header {
            ForwardedHeader::XForwardedFor => address(entry),
            ForwardedHeader::Forwarded => {
                let mut pairs = entry.split(';').filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
                address(value.trim().trim_matches('"'))
            }
        }
    }
}

/// Reads an address with or without a port. Without one, the port is 0.
fn address(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address);
    }
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip: IpAddr = inner.unwrap_or(text).parse().ok()?;
    Some(SocketAddr::new(ip.to_canonical(), 0))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn proxies(trusted: &[&str], header: ForwardedHeader) -> Proxies {
        let mut proxies = Proxies {
            header,
            ..Proxies::default()
        };
        for text in trusted {
            proxies.trust(text).unwrap();
        }
        proxies
    }

    fn peer(text: &str) -> RemoteAddr {
        match text {
            "unix" => RemoteAddr::UNIX,
            text => text.parse::<SocketAddr>().unwrap().into(),
        }
    }

    /// Returns the client's address behind 127.0.0.1 and 10.0.0.0/8.
    fn client(from: &str, lines: &[&str]) -> String {
        let proxies = proxies(
            &["127.0.0.1", "10.0.0.0/8", "unix"],
            ForwardedHeader::XForwardedFor,
        );
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        proxies.client(peer(from), &headers).to_string()
    }

    #[test]
    fn the_last_address_that_is_not_a_trusted_proxy_is_the_clients() {
        let proxy = "127.0.0.1:5";
        for (lines, expected) in [
            (&["203.0.113.7"][..], "203.0.113.7:0"),
            (&["203.0.113.7:99"], "203.0.113.7:99"),
            (&["2001:db8::1"], "[2001:db8::1]:0"),
            (&["[2001:db8::1]:99"], "[2001:db8::1]:99"),
            (&["::ffff:203.0.113.7"], "203.0.113.7:0"),
            // The client has written the first address itself.
            (&["198.51.100.1, 203.0.113.7"], "203.0.113.7:0"),
            (&["198.51.100.1", "203.0.113.7"], "203.0.113.7:0"),
            (&["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7:0"),
            (&["10.9.9.9, 10.1.2.3"], "10.9.9.9:0"),
            (&["198.51.100.1, unknown, 10.1.2.3"], "10.1.2.3:0"),
            (&["unknown"], proxy),
            (&[""], proxy),
            (&[], proxy),
        ] {
            assert_eq!(client(proxy, lines), expected, "{lines:?}");
        }
        assert_eq!(client("unix", &["203.0.113.7"]), "203.0.113.7:0");
        assert_eq!(
            client("[::ffff:127.0.0.1]:5", &["203.0.113.7"]),
            "203.0.113.7:0"
        );
    }

    #[test]
    fn a_peer_that_is_not_trusted_cannot_name_another_address() {
        assert_eq!(client("203.0.113.9:5", &["198.51.100.1"]), "203.0.113.9:5");
        let none = proxies(&[], ForwardedHeader::XForwardedFor);
        let mut headers = HeaderMap::new();
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
        for text in ["127.0.0.1:5", "unix"] {
            assert_eq!(none.client(peer(text), &headers), peer(text));
        }
    }

    #[test]
    fn only_the_chosen_header_counts() {
        let proxies = proxies(&["127.0.0.1"], ForwardedHeader::Forwarded);
        let mut headers = HeaderMap::new();
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.1"));
        let from = peer("127.0.0.1:5");
        assert_eq!(proxies.client(from, &headers), from);
        for (value, expected) in [
            ("for=203.0.113.7;proto=https;by=127.0.0.1", "203.0.113.7:0"),
            (
                "for=198.51.100.1, For=\"[2001:db8::1]:99\"",
                "[2001:db8::1]:99",
            ),
            ("proto=https", "127.0.0.1:5"),
            ("for=_hidden", "127.0.0.1:5"),
        ] {
            headers.insert(FORWARDED, HeaderValue::from_static(value));
            assert_eq!(
                proxies.client(from, &headers).to_string(),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn a_text_that_is_no_address_is_an_error_that_names_it() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80"] {
            let error = Proxies::default().trust(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is not")), "{error}");
        }
    }
}
