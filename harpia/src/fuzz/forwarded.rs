//! The addresses of clients behind proxies.

use std::net::SocketAddr;

use http::header::FORWARDED;
use http::{HeaderName, HeaderValue};

use crate::extract::RemoteAddr;
use crate::server::{ForwardedHeader, Proxies};

use super::headers;

/// Finds the address of a client behind proxies.
///
/// The lines of the input: the trusted proxies, separated by spaces; the peer; and then headers.
///
/// - A peer that is not trusted is the client.
/// - An address that the client has written before those of the proxies changes the result only if
///   all other addresses are trusted.
/// - A list means the same in one header and in several, and in `Forwarded` the same as in
///   `X-Forwarded-For`.
pub fn forwarded(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut lines = text.lines();
    let (Some(trusted), Some(peer)) = (lines.next(), lines.next()) else {
        return;
    };
    let peer = match (peer, peer.parse::<SocketAddr>()) {
        ("unix", _) => RemoteAddr::UNIX,
        (_, Ok(address)) => address.into(),
        _ => return,
    };
    let headers = headers(lines);
    let proxies = |header| {
        let mut proxies = Proxies::default();
        for network in trusted.split(' ') {
            // An error leaves the proxies as they are.
            let _ = proxies.trust(network);
        }
        proxies.header = header;
        proxies
    };
    let x_forwarded_for = HeaderName::from_static("x-forwarded-for");
    for (kind, name) in [
        (ForwardedHeader::XForwardedFor, &x_forwarded_for),
        (ForwardedHeader::Forwarded, &FORWARDED),
    ] {
        let proxies = proxies(kind);
        let client = proxies.client(peer, &headers);
        if client != peer {
            assert!(proxies.trusts(peer));
            assert_eq!(
                client.ip(),
                client.ip().map(|ip| ip.to_canonical()),
                "{client}"
            );
        }
        let values: Vec<_> = headers.get_all(name).into_iter().collect();
        let with = |values: Vec<HeaderValue>| {
            let values = values.into_iter().map(|value| (name.clone(), value));
            proxies.client(peer, &values.collect())
        };
        let own = match kind {
            ForwardedHeader::XForwardedFor => "192.0.2.1",
            ForwardedHeader::Forwarded => "for=192.0.2.1",
        };
        let own = [HeaderValue::from_static(own)].into_iter();
        let spoofed = with(own.chain(values.iter().copied().cloned()).collect());
        if spoofed != client {
            assert!(proxies.trusts(client), "{client} became {spoofed}");
            assert_eq!(spoofed.to_string(), "192.0.2.1:0");
        }
        let texts: Result<Vec<_>, _> = values.iter().map(|value| value.to_str()).collect();
        if let Ok(texts) = texts
            && let Ok(joined) = HeaderValue::from_str(&texts.join(","))
            && !texts.is_empty()
        {
            assert_eq!(with(vec![joined]), client);
        }
    }

    let values = headers.get_all(&x_forwarded_for).into_iter();
    let texts: Vec<_> = values.map(|value| value.to_str().unwrap_or("?")).collect();
    let list = texts.join(",");
    if texts.is_empty() || list.contains(['"', ';', '=']) {
        return;
    }
    let elements: Vec<_> = list
        .split(',')
        .map(|entry| format!("for=\"{entry}\""))
        .collect();
    let value = HeaderValue::from_str(&elements.join(", ")).expect("text");
    assert_eq!(
        proxies(ForwardedHeader::XForwardedFor).client(peer, &headers),
        proxies(ForwardedHeader::Forwarded)
            .client(peer, &[(FORWARDED, value)].into_iter().collect()),
    );
}
