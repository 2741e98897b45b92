//! Reading header fields: values that must be unique, lists, and tokens.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Returns whether a text is a token (RFC 9110 section 5.6.2).
///
/// Names of subprotocols and of cookies are tokens. `harpia-macros` has the same rule for
/// attributes.
pub(crate) fn is_token(text: &str) -> bool {
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_token_char)
}

/// Returns the value of a header that must not be sent twice.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    values.next().filter(|_| values.next().is_none())
}

/// Returns whether a list names this token, in upper or lower case.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let token = token.as_bytes();
    // Usually the token is the whole value, so this is checked first.
    headers.get_all(name).into_iter().any(|value| {
        let mut parts = value.as_bytes().split(|byte| *byte == b',');
        value.as_bytes().eq_ignore_ascii_case(token)
            || parts.any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
    })
}

/// Iterates over the parts of the comma-separated lists in all headers of this name.
pub(super) fn tokens<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    texts(headers, name)
        .flat_map(|text| text.split(','))
        .map(str::trim)
}

/// Iterates over the values of a header that are text.
pub(super) fn texts<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok())
}
