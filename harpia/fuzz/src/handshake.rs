//! Handshakes, compared with tungstenite.

use harpia::fuzz::Head;
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderName, Request};
use tungstenite::handshake::server::create_response;

/// Checks that tungstenite accepts what harpia accepts, with the same key, and that harpia's
/// response has no other headers than it should.
///
/// tungstenite accepts requests that harpia refuses, because it checks neither the origin nor the
/// body nor the `Host` header.
pub(crate) fn compare(head: &Head) {
    let Ok(bytes) = &head.response else { return };
    let mut fields = [httparse::EMPTY_HEADER; 5];
    let mut response = httparse::Response::new(&mut fields);
    let parsed = response.parse(bytes);
    assert_eq!(parsed, Ok(httparse::Status::Complete(bytes.len())));
    assert_eq!(response.code, Some(101));
    let value = |name: &str| {
        let mut fields = response.headers.iter();
        let field = fields.find(|field| field.name == name);
        field.map(|field| field.value)
    };
    if let Some(protocol) = value("Sec-WebSocket-Protocol") {
        assert!([&b"chat"[..], b"superchat"].contains(&protocol));
    }

    let headers = &head.request.headers;
    if !is_read_alike(headers) {
        return;
    }
    let request = Request::from_parts(head.request.clone(), ());
    let theirs = create_response(&request).expect("tungstenite accepts the handshake");
    let accept = theirs.headers()["Sec-WebSocket-Accept"].as_bytes();
    assert_eq!(value("Sec-WebSocket-Accept"), Some(accept));
}

/// Returns whether tungstenite reads these headers like harpia.
///
/// - It reads only the first `Connection` and `Upgrade` header, splits the first only at spaces and
///   commas, and does not take `Upgrade` for a list.
/// - It refuses a key whose last digit has bits that base64 does not use. RFC 6455 does not ask a
///   server to check that.
fn is_read_alike(headers: &HeaderMap) -> bool {
    let first = |name: &HeaderName| headers.get(name).map(|value| value.as_bytes());
    let upgrade = first(&UPGRADE).unwrap_or_default();
    let connection = first(&CONNECTION).unwrap_or_default();
    let mut tokens = connection.split(|byte| b", ".contains(byte));
    assert_eq!(first(&SEC_WEBSOCKET_VERSION), Some(&b"13"[..]));
    upgrade.eq_ignore_ascii_case(b"websocket")
        && connection.iter().all(|byte| (b' '..=b'~').contains(byte))
        && tokens.any(|token| token.eq_ignore_ascii_case(b"upgrade"))
        && first(&SEC_WEBSOCKET_KEY).is_some_and(|key| b"AQgw".contains(&key[21]))
}
