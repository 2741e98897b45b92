//! The cookies of a request, read as browsers mean them.

use std::borrow::Cow;
use std::fmt;

use cookie::Cookie;
use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::percent_decode_str;

use super::{FromHandshake, Handshake, Rejection};

/// The cookies that came with the handshake.
///
/// Values keep their `=`, lose their surrounding quotes, and are percent-decoded; a value whose
/// escapes are broken is kept as it came. Of two cookies of one name the first wins, which by
/// RFC 6265 section 5.4 is the one with the longer path. `Debug` shows names, never values.
///
/// ```
/// use harpia::extract::Cookies;
///
/// let cookies = Cookies::parse(r#"id=a=b; name="Ada%20L"; broken=%FF"#);
/// assert_eq!(cookies.get("id"), Some("a=b"));
/// assert_eq!(cookies.get("name"), Some("Ada L"));
/// assert_eq!(cookies.get("broken"), Some("%FF"));
/// assert_eq!(cookies.get("none"), None);
/// ```
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Cookies {
    pairs: Box<[(Box<str>, Box<str>)]>,
}

impl Cookies {
    /// Parses the value of a `Cookie` header. What is no pair is left out.
    pub fn parse(header: &str) -> Self {
        Self::of(pairs(header.as_bytes()))
    }

    /// Reads all `Cookie` headers of a request, for pages beside the socket.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(COOKIE).into_iter();
        Self::of(values.flat_map(|value| pairs(value.as_bytes())))
    }

    fn of<'a>(pairs: impl Iterator<Item = Cookie<'a>>) -> Self {
        let pairs = pairs.map(|cookie| (cookie.name().into(), decoded(&cookie).into()));
        Self {
            pairs: pairs.collect(),
        }
    }

    /// Returns the value of a cookie.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.pairs.iter().find(|(known, _)| **known == *name)?;
        Some(value)
    }

    /// Returns names and values in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// Finds one cookie in the values of a handshake's `Cookie` headers, without reading all.
pub(super) fn find<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> Option<String> {
    let mut cookies = headers.flat_map(pairs);
    let found = cookies.find(|cookie| cookie.name() == name)?;
    Some(decoded(&found).into_owned())
}

/// The pairs of one header. A program on the same host may set a cookie that is no UTF-8: that one
/// is left out, and takes none of the others with it.
fn pairs(header: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    header.split(|&byte| byte == b';').filter_map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        Cookie::parse(text).ok()
    })
}

/// Names are never decoded: `%5F_Host-id` is not `__Host-id`, which only this host can set.
fn decoded<'a>(cookie: &'a Cookie<'_>) -> Cow<'a, str> {
    let value = cookie.value_trimmed();
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.unwrap_or(Cow::Borrowed(value))
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl FromHandshake for Cookies {
    const READS_COOKIES: bool = true;

    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        Ok(Self::from_headers(handshake.headers_with_cookies()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Whatever stands in a header, in one or in several.
    fn headers() -> impl Strategy<Value = HeaderMap> {
        let bytes = any::<u8>().prop_filter("a byte of a header", |byte| {
            HeaderValue::from_bytes(&[*byte]).is_ok()
        });
        let junk = prop_oneof![3 => bytes, 1 => prop::sample::select(b"=;\"% a1".to_vec())];
        vec(vec(junk, 0..40), 0..4).prop_map(|values| {
            let values = values
                .into_iter()
                .filter_map(|value| HeaderValue::from_bytes(&value).ok());
            values.map(|value| (COOKIE, value)).collect()
        })
    }

    proptest! {
        #[test]
        fn a_value_that_was_written_encoded_is_read_as_it_was(value in ".*") {
            let written = format!("name={}", utf8_percent_encode(&value, NON_ALPHANUMERIC));
            let cookies = Cookies::parse(&written);
            prop_assert_eq!(cookies.get("name"), Some(value.as_str()));
        }

        #[test]
        fn a_plain_value_is_read_as_it_was_among_whatever_else_is_sent(
            headers in headers(),
            value in "[a-zA-Z0-9=_.-]{0,40}",
        ) {
            let mut headers = headers;
            let own = format!("other=1;wanted-one={value}; last=2");
            headers.append(COOKIE, HeaderValue::from_str(&own).unwrap());
            let cookies = Cookies::from_headers(&headers);
            prop_assert_eq!(cookies.get("wanted-one"), Some(value.as_str()));
        }

        #[test]
        fn one_cookie_and_all_cookies_are_found_alike(headers in headers()) {
            let cookies = Cookies::from_headers(&headers);
            for (name, _) in cookies.iter() {
                let values = headers.get_all(COOKIE).into_iter().map(HeaderValue::as_bytes);
                let first = find(values, name);
                prop_assert_eq!(first.as_deref(), cookies.get(name));
            }
        }
    }

    #[test]
    fn the_first_of_two_cookies_of_one_name_wins() {
        assert_eq!(Cookies::parse("a=1; a=2").get("a"), Some("1"));
    }

    #[test]
    fn junk_between_cookies_is_left_out() {
        let cookies = Cookies::parse("; =x; novalue; ok=1;;");
        assert_eq!(cookies.iter().collect::<Vec<_>>(), [("ok", "1")]);
    }

    #[test]
    fn one_that_is_no_utf8_takes_no_other_with_it() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"a=1; b=\xff; c=3").unwrap();
        headers.insert(COOKIE, value);
        let cookies = Cookies::from_headers(&headers);
        assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("c", "3")]);
    }

    #[test]
    fn a_name_is_not_decoded() {
        let cookies = Cookies::parse("%5F_Host-id=planted; __Host-id=own");
        assert_eq!(cookies.get("__Host-id"), Some("own"));
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", Cookies::parse("session=secret"));
        assert_eq!(shown, r#"{"session"}"#);
    }
}
