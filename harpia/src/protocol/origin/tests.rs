//! Tests: which pages may connect.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

/// Equal to the table in harpia-macros' value.rs, which `tests/grammars.rs` compares.
const ORIGINS: [&str; 12] = [
    "null",
    "capacitor://localhost",
    "tauri://localhost",
    "chrome-extension://abcdefghijklmnop",
    "com.example+app-1://host:1",
    "https://example.com",
    "http://localhost:3000",
    "https://127.0.0.1",
    "https://[::1]",
    "https://[::1]:8443",
    "HTTPS://my_app",
    "https://xn--bcher-kva.example",
];

/// Equal to the table in harpia-macros' value.rs, which `tests/grammars.rs` compares.
const NO_ORIGINS: [&str; 31] = [
    "",
    "Null",
    "1x://a",
    "x_y://a",
    "capacitor://",
    "wss://a",
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
fn an_origin_has_a_scheme_and_a_host_and_nothing_after_the_port() {
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

/// Returns whether a page may connect, given the extra headers `more`.
fn allows(
    allowed: &Origins,
    host: &str,
    origin: &str,
    more: &[(&'static str, &'static str)],
) -> bool {
    let mut headers = HeaderMap::new();
    headers.append(ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).unwrap());
    for (name, value) in more {
        headers.append(*name, HeaderValue::from_static(value));
    }
    is_allowed(&headers, &host.parse().unwrap(), allowed)
}

#[test]
fn a_page_of_the_same_host_and_port_may_connect() {
    for (host, origin) in [
        ("a.test", "https://a.test"),
        ("a.test", "http://a.test"),
        ("a.test", "https://a.test:443"),
        ("A.TEST", "HTTPS://a.Test:443"),
        ("a.test:443", "https://a.test"),
        ("a.test:3000", "http://a.test:3000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
        ("[::1]", "https://[0:0:0:0:0:0:0:1]"),
    ] {
        assert!(allows(&Origins::Same, host, origin, &[]), "{host} {origin}");
    }
}

#[test]
fn a_page_of_another_host_or_port_may_not_connect() {
    for (host, origin) in [
        ("a.test", "null"),
        ("a.test", ""),
        ("a.test", "a.test"),
        ("a.test", "//a.test"),
        ("a.test", "file://"),
        ("a.test", "https://a.test."),
        ("a.test", "https://a.test:8443"),
        ("a.test", "https://a.test:99999"),
        ("a.test:8443", "https://a.test"),
        ("a.test", "https://a.test https://evil.test"),
        ("a.test", "https://a.test, https://evil.test"),
        ("a.test", "https://a.test@evil.test"),
        ("a.test", "https://evil.test@a.test"),
        ("a.test", "https://a.test.evil.test"),
        ("a.test", "https://sub.a.test"),
        ("a.test", "https://evila.test"),
        ("a.test", "https://\u{430}.test"),
        ("[::1]", "https://[::2]"),
        ("a.test", "capacitor://a.test"),
    ] {
        assert!(
            !allows(&Origins::Same, host, origin, &[]),
            "{host} {origin}"
        );
    }
}

#[test]
fn a_page_of_another_scheme_may_not_connect_on_any_port() {
    for (host, origin) in [
        ("a.test", "ws://a.test"),
        ("a.test:80", "ws://a.test:80"),
        ("a.test:443", "wss://a.test:443"),
        ("a.test:80", "chrome-extension://a.test:80"),
    ] {
        assert!(
            !allows(&Origins::Same, host, origin, &[]),
            "{host} {origin}"
        );
    }
}

#[test]
fn a_request_with_two_origins_may_not_connect() {
    for second in ["https://a.test", "https://evil.test"] {
        let more = [("origin", second)];
        assert!(!allows(&Origins::Same, "a.test", "https://a.test", &more));
    }
}

#[test]
fn a_forwarded_host_allows_no_other_origin() {
    for more in [
        ("x-forwarded-host", "evil.test"),
        ("forwarded", "host=evil.test"),
    ] {
        let same = Origins::Same;
        assert!(!allows(&same, "a.test", "https://evil.test", &[more]));
    }
}

#[test]
fn a_page_without_tls_may_not_connect_if_a_proxy_reports_tls() {
    for more in [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-proto", "HTTPS"),
        ("x-forwarded-proto", "wss"),
        ("x-forwarded-proto", "https, http"),
        ("forwarded", "proto=https"),
        ("forwarded", "for=192.0.2.1; Proto=\"https\";by=203.0.113.1"),
        (
            "forwarded",
            "for=192.0.2.1;proto=https, for=10.0.0.1;proto=http",
        ),
    ] {
        let same = Origins::Same;
        assert!(
            !allows(&same, "a.test", "http://a.test", &[more]),
            "{more:?}"
        );
        assert!(
            allows(&same, "a.test", "https://a.test", &[more]),
            "{more:?}"
        );
    }
}

#[test]
fn a_page_without_tls_may_connect_if_no_proxy_reports_tls() {
    for more in [
        ("x-forwarded-proto", "http"),
        ("x-forwarded-proto", "http, https"),
        ("x-forwarded-proto", ""),
        ("forwarded", "proto=http"),
        ("forwarded", "for=192.0.2.1, proto=https"),
        ("forwarded", "host=https"),
    ] {
        let same = Origins::Same;
        assert!(
            allows(&same, "a.test", "http://a.test", &[more]),
            "{more:?}"
        );
    }
}

#[test]
fn a_list_allows_exactly_its_origins() {
    let fixed = Origins::Only(&["https://bank.test"]);
    let listed = Origins::from(["https://bank.test"]);
    for (origin, expected) in [
        ("https://bank.test", true),
        ("https://bank.test:443", true),
        ("HTTPS://BANK.test", true),
        ("http://bank.test", false),
        ("https://bank.test:8443", false),
        // The host of the request itself. An attacker may have made this name point to the server.
        ("https://own.test", false),
        ("http://own.test", false),
    ] {
        for origins in [&fixed, &listed] {
            let allowed = allows(origins, "own.test", origin, &[]);
            assert_eq!(allowed, expected, "{origin}");
        }
    }
    assert!(!allows(&fixed, "bank.test", "http://bank.test", &[]));
}

#[test]
fn a_list_may_name_apps_extensions_and_null() {
    for origin in ["capacitor://localhost", "chrome-extension://abc", "null"] {
        let listed = Origins::from([origin]);
        assert!(allows(&listed, "a.test", origin, &[]), "{origin}");
        let other = Origins::from(["tauri://localhost", "https://a.test"]);
        assert!(!allows(&other, "a.test", origin, &[]), "{origin}");
        assert!(!allows(&Origins::Same, "a.test", origin, &[]), "{origin}");
    }
}

#[test]
fn an_empty_list_allows_no_page() {
    let none = Origins::Listed(Vec::new());
    assert!(!allows(&none, "a.test", "https://a.test", &[]));
}

/// Returns host and port with the scheme's default port written out, by string operations alone.
fn written_out(scheme: &str, authority: &str) -> String {
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        _ => ":80",
    };
    let has_port = authority
        .rsplit(']')
        .next()
        .is_some_and(|rest| rest.contains(':'));
    let port = if has_port { "" } else { port };
    format!("{authority}{port}").to_ascii_lowercase()
}

proptest! {
    #[test]
    fn only_a_page_with_the_hosts_name_and_port_may_connect(
        scheme in "http|https|HTTPS|ws|x",
        page in "(a|A|b|a\\.b|127\\.0\\.0\\.1|\\[::1\\])(:(80|443|8080|0))?",
        host in "(a|A|b|a\\.b|127\\.0\\.0\\.1|\\[::1\\])(:(80|443|8080|0))?",
    ) {
        let is_http = scheme.to_ascii_lowercase().starts_with("http");
        let is_same = written_out(&scheme, &page) == written_out(&scheme, &host);
        let origin = format!("{scheme}://{page}");
        let allowed = allows(&Origins::Same, &host, &origin, &[]);
        prop_assert_eq!(allowed, is_http && is_same, "{} {}", host, origin);
    }

    #[test]
    fn a_parsed_origin_parses_to_itself_again(text in "(https?://)?\\PC*") {
        if let Some(Origin::Tuple { scheme, host: Host::Name(host), port: Some(port) }) =
            Origin::parse(&text)
        {
            let same = format!("{scheme}://{host}:{port}");
            let host = Host::Name(host);
            prop_assert_eq!(
                Origin::parse(&same),
                Some(Origin::Tuple { scheme, host, port: Some(port) })
            );
        }
    }
}
