//! Cookies, compared with the crate cookie.

use cookie::Cookie;
use harpia::Cookies;
use percent_encoding::percent_decode_str;

/// Checks that the crate cookie finds the same names and values in headers of printable ASCII.
///
/// It reads other headers differently: it trims more characters than spaces and tabs.
pub(crate) fn compare(input: &[u8], cookies: &Cookies) {
    let lines = input.split(|byte| *byte == b'\n');
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    if !lines.flatten().all(|byte| (b' '..=b'~').contains(byte)) {
        return;
    }
    let theirs = text.split('\n').flat_map(Cookie::split_parse);
    let theirs: Vec<(String, String)> = theirs
        .flatten()
        .map(|cookie| {
            let value = cookie.value_trimmed();
            let decoded = percent_decode_str(value).decode_utf8();
            let value = decoded.map_or(value.to_owned(), |decoded| decoded.into_owned());
            (cookie.name().to_owned(), value)
        })
        .collect();
    let ours = cookies.iter();
    let ours: Vec<_> = ours
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    assert_eq!(ours, theirs);
}
