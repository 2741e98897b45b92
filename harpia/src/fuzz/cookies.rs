//! Cookies.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::extract::{Cookies, find_cookie};

/// Parses cookies. Each line of the input is the value of a `Cookie` header.
///
/// - Names are not empty, and are parts of the headers as they were sent.
/// - Cookies take at most three times the bytes that were sent.
/// - The credentials of `auth` find the same value.
/// - Other cookies do not affect a cookie.
pub fn cookies(input: &[u8]) -> Cookies {
    let lines = input.split(|byte| *byte == b'\n');
    let values = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut headers: HeaderMap = values.map(|value| (COOKIE, value)).collect();
    let cookies = Cookies::from_headers(&headers);
    let all = || {
        headers
            .get_all(COOKIE)
            .into_iter()
            .map(HeaderValue::as_bytes)
    };
    let sent: usize = all().map(|value| value.len() + 1).sum();
    let mut held = 0;
    for (name, value) in cookies.iter() {
        held += name.len() + value.len() + size_of::<(u32, u32)>();
        assert!(!name.is_empty() && !name.contains([';', '=']));
        assert_eq!(name, name.trim_matches([' ', '\t']));
        let is_sent = |value: &[u8]| {
            value
                .windows(name.len())
                .any(|part| part == name.as_bytes())
        };
        assert!(all().any(is_sent), "{name} was not sent");
        assert_eq!(find_cookie(all(), name).as_deref(), cookies.get(name));
    }
    assert!(held <= 3 * sent);

    if cookies.get("wanted-one").is_none() {
        headers.append(
            COOKIE,
            HeaderValue::from_static("a=1;wanted-one=x=%20; b=2"),
        );
        assert_eq!(
            Cookies::from_headers(&headers).get("wanted-one"),
            Some("x= ")
        );
    }
    cookies
}
