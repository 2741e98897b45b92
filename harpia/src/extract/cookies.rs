//! The cookies of a request, read as browsers mean them.

use std::fmt;

use cookie::Cookie;
use http::HeaderMap;
use http::header::COOKIE;

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
        Self {
            pairs: header.split(';').filter_map(pair).collect(),
        }
    }

    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(COOKIE).into_iter();
        let pairs = values
            .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
            .flat_map(|value| value.split(';'))
            .filter_map(pair);
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

fn pair(text: &str) -> Option<(Box<str>, Box<str>)> {
    let cookie = Cookie::parse_encoded(text)
        .or_else(|_| Cookie::parse(text))
        .ok()?;
    Some((cookie.name().into(), cookie.value_trimmed().into()))
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
        Ok(Self::from_headers(&handshake.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn debug_shows_no_value() {
        let shown = format!("{:?}", Cookies::parse("session=secret"));
        assert_eq!(shown, r#"{"session"}"#);
    }
}
