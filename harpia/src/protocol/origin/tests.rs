//! Which pages may connect, and which are refused.

use http::HeaderValue;
use proptest::prelude::*;

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

/// Whether a page may connect, with further headers of its request.
fn allows(
    policy: &OriginPolicy,
    host: &str,
    origin: &str,
    more: &[(&'static str, &'static str)],
) -> bool {
    let mut headers = HeaderMap::new();
    headers.append(ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).unwrap());
    for (name, value) in more {
        headers.append(*name, HeaderValue::from_static(value));
    }
    is_allowed(&headers, &host.parse().unwrap(), policy)
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
    ] {
        assert!(
            allows(&OriginPolicy::Same, host, origin, &[]),
            "{host} {origin}"
        );
    }
}

#[test]
fn what_is_not_of_the_same_host_and_port_may_not() {
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
        ("[::1]", "https://[0:0:0:0:0:0:0:1]"),
    ] {
        assert!(
            !allows(&OriginPolicy::Same, host, origin, &[]),
            "{host} {origin}"
        );
    }
}

#[test]
fn what_is_no_page_of_http_may_not_connect_on_any_port() {
    for (host, origin) in [
        ("a.test", "ws://a.test"),
        ("a.test:80", "ws://a.test:80"),
        ("a.test:443", "wss://a.test:443"),
        ("a.test:80", "chrome-extension://a.test:80"),
    ] {
        assert!(
            !allows(&OriginPolicy::Same, host, origin, &[]),
            "{host} {origin}"
        );
    }
}

#[test]
fn two_origins_are_none() {
    for second in ["https://a.test", "https://evil.test"] {
        let more = [("origin", second)];
        assert!(!allows(
            &OriginPolicy::Same,
            "a.test",
            "https://a.test",
            &more
        ));
    }
}

#[test]
fn a_host_that_a_proxy_names_opens_nothing() {
    for more in [
        ("x-forwarded-host", "evil.test"),
        ("forwarded", "host=evil.test"),
    ] {
        let policy = OriginPolicy::Same;
        assert!(!allows(&policy, "a.test", "https://evil.test", &[more]));
    }
}

#[test]
fn a_page_without_tls_may_not_connect_where_the_request_came_with_it() {
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
        let policy = OriginPolicy::Same;
        assert!(
            !allows(&policy, "a.test", "http://a.test", &[more]),
            "{more:?}"
        );
        assert!(
            allows(&policy, "a.test", "https://a.test", &[more]),
            "{more:?}"
        );
    }
}

#[test]
fn a_page_without_tls_may_connect_where_nothing_says_that_there_is_any() {
    for more in [
        ("x-forwarded-proto", "http"),
        ("x-forwarded-proto", "http, https"),
        ("x-forwarded-proto", ""),
        ("forwarded", "proto=http"),
        ("forwarded", "for=192.0.2.1, proto=https"),
        ("forwarded", "host=https"),
    ] {
        let policy = OriginPolicy::Same;
        assert!(
            allows(&policy, "a.test", "http://a.test", &[more]),
            "{more:?}"
        );
    }
}

#[test]
fn a_list_is_exactly_what_it_names() {
    let policy = OriginPolicy::from(["https://bank.test"]);
    for (origin, allowed) in [
        ("https://bank.test", true),
        ("https://bank.test:443", true),
        ("HTTPS://BANK.test", true),
        ("http://bank.test", false),
        ("https://bank.test:8443", false),
        // The host that the request is sent to, and a name that was made to lead here.
        ("https://own.test", false),
        ("http://own.test", false),
    ] {
        assert_eq!(
            allows(&policy, "own.test", origin, &[]),
            allowed,
            "{origin}"
        );
    }
    assert!(!allows(&policy, "bank.test", "http://bank.test", &[]));
}

#[test]
fn an_empty_list_lets_no_page_connect() {
    let policy = OriginPolicy::Only(Vec::new());
    assert!(!allows(&policy, "a.test", "https://a.test", &[]));
}

/// Host and port with the scheme's own port written out, made by text alone.
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
    fn a_page_that_may_connect_has_the_hosts_name_and_port(
        scheme in "http|https|HTTPS|ws|x",
        page in "(a|A|b|a\\.b|127\\.0\\.0\\.1|\\[::1\\])(:(80|443|8080|0))?",
        host in "(a|A|b|a\\.b|127\\.0\\.0\\.1|\\[::1\\])(:(80|443|8080|0))?",
    ) {
        let is_http = scheme.to_ascii_lowercase().starts_with("http");
        let is_same = written_out(&scheme, &page) == written_out(&scheme, &host);
        let origin = format!("{scheme}://{page}");
        let allowed = allows(&OriginPolicy::Same, &host, &origin, &[]);
        prop_assert_eq!(allowed, is_http && is_same, "{} {}", host, origin);
    }

    #[test]
    fn whatever_is_sent_as_an_origin_is_one_or_none(text in "(https?://)?\\PC*") {
        if let Some(origin) = Origin::parse(&text) {
            let same = format!("{}://{}:{}", origin.scheme, origin.host, origin.port);
            prop_assert_eq!(Origin::parse(&same), Some(origin));
        }
    }
}
