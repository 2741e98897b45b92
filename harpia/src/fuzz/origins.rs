//! The origins of pages.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue};

use crate::options::Origins;
use crate::protocol::{handshake, origin};

use super::headers;

/// What [`origins`] has decided.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The origin in the list.
    pub listed: &'a str,
    /// The page.
    pub origin: &'a str,
    /// The host.
    pub host: &'a str,
    /// Whether the page's origin is valid.
    pub is_valid: bool,
    /// Whether [`Origins::Same`] allows the page.
    pub is_same: bool,
    /// Whether the list allows the page.
    pub is_listed: bool,
}

/// Decides whether a page may connect.
///
/// The lines of the input: an origin for the list, the page's origin, the host, and then any
/// headers, of which `Origin` and `Host` are left out.
///
/// - [`Origins::Any`] allows every page, and a request without an origin is always allowed.
/// - No header of a proxy, and no second origin, lets a page in that is refused without it.
/// - A valid origin is allowed by a list that has it, and is equal to itself in upper case.
pub fn origins(input: &[u8]) -> Option<Decision<'_>> {
    let mut lines = std::str::from_utf8(input).ok()?.lines();
    let (listed, origin, host) = (lines.next()?, lines.next()?, lines.next()?);
    let mut headers = headers(lines);
    headers.remove(ORIGIN);
    headers.insert(HOST, HeaderValue::from_str(host).ok()?);
    let authority = handshake::host(&headers)?;
    let list = Origins::from([listed]);
    for origins in [&Origins::Any, &Origins::Same, &list] {
        assert!(origin::is_allowed(&headers, &authority, origins));
    }
    headers.insert(ORIGIN, HeaderValue::from_str(origin).ok()?);
    let allows =
        |headers: &HeaderMap, origins: &Origins| origin::is_allowed(headers, &authority, origins);
    let (is_same, is_listed) = (allows(&headers, &Origins::Same), allows(&headers, &list));

    assert!(allows(&headers, &Origins::Any));
    let is_valid = origin::is_origin(origin);
    let own = Origins::from([origin]);
    assert_eq!(allows(&headers, &own), is_valid);
    let upper = Origins::from([origin.to_ascii_uppercase()]);
    assert_eq!(allows(&headers, &upper), is_valid && origin != "null");
    let plain = HeaderMap::from_iter([(ORIGIN, headers[ORIGIN].clone())]);
    assert!(!is_same || allows(&plain, &Origins::Same));
    assert_eq!(is_listed, allows(&plain, &list));
    headers.append(ORIGIN, HeaderValue::from_str(origin).ok()?);
    assert!(!allows(&headers, &Origins::Same) && !allows(&headers, &list));
    Some(Decision {
        listed,
        origin,
        host,
        is_valid,
        is_same,
        is_listed,
    })
}
