//! Single values of a query.

use std::borrow::Cow;

/// Finds the first value of a name in a query, and decodes it.
pub(super) fn find<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(known, value)| (known == name).then_some(value))
}
