//! Tests: which requests are upgraded, and the response.

use http::Request;

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

fn checked(request: &Request<()>, rules: &Rules) -> Result<Negotiated, Fault> {
    check(&request.clone().into_parts().0, rules)
}

fn fault(request: &Request<()>) -> Option<Fault> {
    checked(request, &Rules::default()).err()
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
        "example.com:port",
        "example.com:65536",
        "example.com:+80",
        "[::1]1:80",
        "[::1]80",
    ] {
        assert_eq!(fault(&with("host", wrong)), Some(Fault::Host), "{wrong}");
    }
    for right in [
        "localhost",
        "example.com:8080",
        "example.com:",
        "[::1]:3000",
        "[::1]",
        "127.0.0.1",
    ] {
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
    let protocol = |request| checked(&request, &rules).map(|negotiated| negotiated.protocol);
    let chosen = |offered| protocol(with("sec-websocket-protocol", offered));
    assert_eq!(chosen("chat.v1, chat.v2"), Ok(Some("chat.v2".into())));
    assert_eq!(chosen("other"), Err(Fault::Protocol));
    assert_eq!(protocol(request(|_| {})), Ok(None));
}
