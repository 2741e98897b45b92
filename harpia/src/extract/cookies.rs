//! The cookies of a request, parsed like browsers parse them.

use std::borrow::Cow;
use std::fmt;

use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::percent_decode_str;

/// The cookies that came with the handshake.
///
/// - Values keep their `=`, lose their surrounding quotes, and are percent-decoded. A value with
///   invalid escapes is kept as it was sent.
/// - Names are not decoded.
/// - Of two cookies with the same name the first wins. By RFC 6265 section 5.4, that is the one
///   with the longer path.
/// - `Debug` shows names and no values. There is no `PartialEq`, since the time of a comparison
///   could reveal how much of two values is equal.
///
/// As the data of a connection:
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn open(&self, ws: &mut Socket<Cookies>) -> HandlerResult {
///         let user = ws.data.get("user").or_close(1008, "Unauthorized")?;
///         ws.send(format!("welcome, {user}"));
///         Ok(())
///     }
/// }
/// ```
///
/// The rules of parsing:
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
#[derive(Clone, Default)]
pub struct Cookies {
    /// Names and decoded values, one after the other. It is never longer than the headers.
    text: Box<str>,
    /// The lengths of each name and its value, in bytes. A connection keeps them until it closes,
    /// so a pair must not take much more memory than the client sent bytes.
    lengths: Box<[(u32, u32)]>,
}

impl Cookies {
    /// Parses the value of a `Cookie` header. A part without a name is left out.
    ///
    /// ```
    /// use harpia::Cookies;
    ///
    /// let cookies = Cookies::parse("theme=dark; lang=en");
    /// assert_eq!(cookies.get("lang"), Some("en"));
    /// ```
    pub fn parse(header: &str) -> Self {
        Self::of(pairs(header.as_bytes()))
    }

    /// Parses all `Cookie` headers of an ordinary request.
    ///
    /// ```
    /// use harpia::Cookies;
    /// use http::HeaderMap;
    ///
    /// fn theme(headers: &HeaderMap) -> String {
    ///     Cookies::from_headers(headers).get("theme").unwrap_or("light").to_owned()
    /// }
    /// ```
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(COOKIE).into_iter();
        Self::of(values.flat_map(|value| pairs(value.as_bytes())))
    }

    fn of<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut text, mut lengths) = (String::new(), Vec::new());
        for (name, value) in pairs {
            let value = decoded(value);
            let both = (u32::try_from(name.len()), u32::try_from(value.len()));
            // No server reads a head that is this long.
            let (Ok(name_length), Ok(value_length)) = both else {
                continue;
            };
            text.push_str(name);
            text.push_str(&value);
            lengths.push((name_length, value_length));
        }
        Self {
            text: text.into(),
            lengths: lengths.into(),
        }
    }

    /// Returns the value of the first cookie with this name.
    ///
    /// ```
    /// assert_eq!(harpia::Cookies::parse("a=1; a=2").get("a"), Some("1"));
    /// ```
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// Iterates over names and values, in the order in which they were sent.
    ///
    /// ```
    /// let cookies = harpia::Cookies::parse("a=1; b=2");
    /// assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &*self.text;
        self.lengths.iter().map(move |&(name, value)| {
            // `of` put exactly these lengths into the text.
            let (name, after) = rest.split_at(name as usize);
            let (value, after) = after.split_at(value as usize);
            rest = after;
            (name, value)
        })
    }
}

/// Finds one cookie in the values of the `Cookie` headers, without storing the others.
pub(crate) fn find<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> Option<String> {
    let (_, value) = headers.flat_map(pairs).find(|(known, _)| *known == name)?;
    Some(decoded(value).into_owned())
}

/// Splits one header into pairs, with values as they were sent.
///
/// The `cookie` crate, which writes cookies here, is not used to parse them. It trims all Unicode
/// white space, so a name after U+3000, which any page of the domain can set, would become a
/// `__Host-` name. Browsers trim only spaces and tabs (RFC 6265 section 5.2).
///
/// - A cookie without a name, sent as `value` or `=value`, is left out.
/// - A cookie that is not UTF-8 is left out too. A program on the same host may set one. It does
///   not affect the others.
fn pairs(header: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    header.split(|&byte| byte == b';').filter_map(|pair| {
        let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        let name = name.trim_matches(SPACE);
        (!name.is_empty()).then(|| (name, value.trim_matches(SPACE)))
    })
}

const SPACE: [char; 2] = [' ', '\t'];

/// Removes quotes and decodes a value.
///
/// Names are never decoded: `%5F_Host-id` is not `__Host-id`, which only this host can set.
fn decoded(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"');
    let inner = inner.and_then(|rest| rest.strip_suffix('"'));
    let value = inner.unwrap_or(value);
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Makes `Cookie` headers with arbitrary values.
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

    /// Makes cookie names that look like `__Host-id`.
    fn lookalike() -> impl Strategy<Value = String> {
        const SPACES: &str =
            "[\\t\\x0b\\x0c \u{85}\u{a0}\u{1680}\u{2000}\u{2028}\u{3000}\u{feff}\\x00\"%]{0,2}";
        let name = prop::sample::select(vec!["__Host-id", "__host-id", "%5F_Host-id", "_Host-id"]);
        (SPACES, name, SPACES).prop_map(|(before, name, after)| format!("{before}{name}{after}"))
    }

    impl Cookies {
        fn size(&self) -> usize {
            size_of_val(&*self.text) + size_of_val(&*self.lengths)
        }
    }

    proptest! {
        #[test]
        fn an_encoded_value_is_decoded_with_and_without_quotes(
            value in ".*",
            quote in prop::sample::select(vec!["", "\""]),
        ) {
            let encoded = utf8_percent_encode(&value, NON_ALPHANUMERIC);
            let cookies = Cookies::parse(&format!("name={quote}{encoded}{quote}"));
            prop_assert_eq!(cookies.get("name"), Some(value.as_str()));
        }

        #[test]
        fn a_lookalike_name_is_not_taken_for_another_cookie(name in lookalike()) {
            let is_same = name.trim_matches([' ', '\t']) == "__Host-id";
            let cookies = Cookies::parse(&format!("a=1; {name}=planted; b=2"));
            prop_assert_eq!(cookies.get("__Host-id").is_some(), is_same);
        }

        #[test]
        fn the_first_cookie_of_a_name_wins_across_headers(
            headers in vec(vec(("[ab]", "[a-z]{0,3}"), 1..4), 1..4),
        ) {
            let mut sent = HeaderMap::new();
            for header in &headers {
                let pairs = header.iter().map(|(name, value)| format!("{name}={value}"));
                let pairs: Vec<_> = pairs.collect();
                sent.append(COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap());
            }
            let cookies = Cookies::from_headers(&sent);
            for wanted in ["a", "b"] {
                let first = headers.iter().flatten().find(|(name, _)| name == wanted);
                prop_assert_eq!(cookies.get(wanted), first.map(|(_, value)| value.as_str()));
            }
        }

        #[test]
        fn cookies_take_at_most_three_times_the_bytes_that_were_sent(headers in headers()) {
            // One more byte for the colon of each header, like the semicolon of each further pair.
            let sent: usize = headers.values().map(|value| value.len() + 1).sum();
            prop_assert!(Cookies::from_headers(&headers).size() <= 3 * sent);
        }

        #[test]
        fn a_plain_value_is_read_unchanged_among_arbitrary_headers(
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
        fn find_and_get_return_the_same_value(headers in headers()) {
            let cookies = Cookies::from_headers(&headers);
            for (name, _) in cookies.iter() {
                let values = headers.get_all(COOKIE).into_iter().map(HeaderValue::as_bytes);
                let first = find(values, name);
                prop_assert_eq!(first.as_deref(), cookies.get(name));
            }
        }
    }

    #[test]
    fn a_header_of_the_smallest_pairs_takes_at_most_three_times_its_size() {
        let header = "a=;".repeat(10_000);
        let cookies = Cookies::parse(&header);
        assert_eq!(cookies.iter().count(), 10_000);
        assert!(cookies.size() <= 3 * header.len(), "{}", cookies.size());
    }

    #[test]
    fn a_cookie_without_a_name_is_left_out() {
        let cookies = Cookies::parse("; =x; a; =b=1; \t=y; ok=1;;");
        assert_eq!(cookies.iter().collect::<Vec<_>>(), [("ok", "1")]);
    }

    #[test]
    fn only_spaces_and_tabs_are_trimmed() {
        let cookies = Cookies::parse(" \ta \t= \t1 \t;\u{b}b=2;\u{3000}c=\u{a0}3");
        let pairs = [("a", "1"), ("\u{b}b", "2"), ("\u{3000}c", "\u{a0}3")];
        assert_eq!(cookies.iter().collect::<Vec<_>>(), pairs);
    }

    #[test]
    fn a_cookie_that_is_not_utf8_does_not_affect_the_others() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"a=1; b=\xff; c=3").unwrap();
        headers.insert(COOKIE, value);
        let cookies = Cookies::from_headers(&headers);
        assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("c", "3")]);
    }

    #[test]
    fn an_unclosed_quote_is_part_of_the_value() {
        let cookies = Cookies::parse(r#"a="1; b="; c="%22"; d=%221%22"#);
        let pairs = [("a", "\"1"), ("b", "\""), ("c", "\""), ("d", "\"1\"")];
        assert_eq!(cookies.iter().collect::<Vec<_>>(), pairs);
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
