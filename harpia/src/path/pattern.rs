//! The syntax of a route's path, such as `/rooms/{room}`: a parameter is a whole segment.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// A path with valid syntax.
///
/// The macro has checked the paths that it sees, with better messages. This check is for routes
/// that are written by hand, and for prefixes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pattern {
    text: String,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_as("path", text)
    }

    /// Parses a pattern. Error messages call it by the name `what`.
    fn parse_as(what: &str, text: &str) -> Result<Self, String> {
        if text == "/" {
            return Ok(Self { text: text.into() });
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("{what} `{text}` must start with `/`"));
        };
        let mut names = Vec::new();
        for segment in rest.split('/') {
            if segment.is_empty() {
                return Err(format!("{what} `{text}` has an empty segment"));
            }
            if let Some(name) = parameter(segment) {
                if !is_name(name) {
                    return Err(format!(
                        "`{name}` in {what} `{text}` is not a parameter name"
                    ));
                }
                if names.contains(&name) {
                    return Err(format!(
                        "parameter `{name}` appears twice in {what} `{text}`"
                    ));
                }
                names.push(name);
            } else if !is_fixed(segment) {
                return Err(format!(
                    "segment `{segment}` of {what} `{text}` is neither fixed nor a whole \
                     `{{parameter}}`"
                ));
            }
        }
        Ok(Self { text: text.into() })
    }

    /// Parses a prefix: a pattern without parameters. The prefix `/` adds nothing to a path.
    pub(crate) fn parse_prefix(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("`nest` got an empty prefix: use `merge` to add routes without one".into());
        }
        let prefix = Self::parse_as("prefix", text)?;
        if prefix.names().next().is_some() {
            return Err(format!("prefix `{text}` cannot have parameters"));
        }
        Ok(prefix)
    }

    /// Returns the pattern after a prefix.
    pub(crate) fn prefixed(&self, prefix: &Self) -> Self {
        let text = match (prefix.text.as_str(), self.text.as_str()) {
            ("/", path) => path.to_owned(),
            (prefix, "/") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}{path}"),
        };
        Self { text }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Iterates over the names of the parameters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').filter_map(parameter)
    }

    /// Returns the pattern in the syntax of matchit.
    ///
    /// Parameters are named by their position, so that two patterns that differ only in names
    /// collide. Fixed segments are [`canonical`].
    pub(crate) fn matcher(&self) -> String {
        let mut parameters = 0;
        let segments = self
            .text
            .split('/')
            .map(|segment| match parameter(segment) {
                Some(_) => {
                    parameters += 1;
                    format!("{{p{parameters}}}")
                }
                None => canonical(segment).into_owned(),
            });
        segments.collect::<Vec<_>>().join("/")
    }
}

/// Percent-encodes each segment of a path in one way, so that `/caf%C3%A9` and `/café` are equal.
///
/// An escaped `/` stays within its segment. Most paths are canonical already, and are not copied.
pub(crate) fn canonical(path: &str) -> Cow<'_, str> {
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~');
    if path.bytes().all(is_unreserved) {
        return path.into();
    }
    let segments = path.split('/').map(|segment| {
        let bytes: Vec<u8> = percent_decode_str(segment).collect();
        percent_encode(&bytes, ESCAPED).to_string()
    });
    segments.collect::<Vec<_>>().join("/").into()
}

/// All characters but RFC 3986's unreserved ones. `{`, `}` and `*` are syntax of matchit.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|c| c == '_' || c.is_alphabetic());
    begins && name != "_" && characters.all(|c| c == '_' || c.is_alphanumeric())
}

/// Returns whether a segment is fixed: no white space, no query, and no parameter in the syntax of
/// other frameworks, such as `:id`, `<id>` or `*`.
fn is_fixed(segment: &str) -> bool {
    let is_foreign =
        segment.starts_with(':') || (segment.starts_with('<') && segment.ends_with('>'));
    let has_meaning =
        |c: char| matches!(c, '{' | '}' | '*' | '?' | '#') || c.is_whitespace() || c.is_control();
    !is_foreign && !segment.contains(has_meaning)
}

/// Returns whether two patterns match the same paths.
///
/// They do if they differ only in the names of parameters.
///
/// It is a `const fn`, so that `routes!` can reject such a pair at compile time.
///
/// ```
/// use harpia::route::same_shape;
///
/// const _: () = assert!(same_shape("/rooms/{room}", "/rooms/{id}"));
/// assert!(!same_shape("/rooms/{room}", "/rooms/all"));
/// ```
pub const fn same_shape(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut i, mut j) = (0, 0);
    loop {
        let (end_a, end_b) = (segment_end(a, i), segment_end(b, j));
        if !same_segment(a, i, end_a, b, j, end_b) {
            return false;
        }
        match (end_a == a.len(), end_b == b.len()) {
            (true, true) => return true,
            (false, false) => (i, j) = (end_a + 1, end_b + 1),
            _ => return false,
        }
    }
}

/// Returns whether a pattern has this parameter.
///
/// It is a `const fn`, so that `#[ws_route]` can check the route's data at compile time.
///
/// ```
/// use harpia::route::has_parameter;
///
/// const _: () = assert!(has_parameter("/rooms/{room}", "room"));
/// assert!(!has_parameter("/rooms/{room}", "game"));
/// ```
pub const fn has_parameter(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let mut start = 0;
    loop {
        let end = segment_end(pattern, start);
        let whole = is_parameter(pattern, start, end);
        if whole && same_bytes(pattern, start + 1, end - 1, name, 0, name.len()) {
            return true;
        }
        if end == pattern.len() {
            return false;
        }
        start = end + 1;
    }
}

/// Returns the name of a pattern's first parameter, for compile errors.
pub(crate) const fn first_parameter(pattern: &str) -> Option<&str> {
    let bytes = pattern.as_bytes();
    let mut start = 0;
    loop {
        let end = segment_end(bytes, start);
        if is_parameter(bytes, start, end) {
            let name = bytes.split_at(end - 1).0.split_at(start + 1).1;
            return match std::str::from_utf8(name) {
                Ok(name) => Some(name),
                Err(_) => None,
            };
        }
        if end == bytes.len() {
            return None;
        }
        start = end + 1;
    }
}

const fn segment_end(path: &[u8], mut at: usize) -> usize {
    while at < path.len() && path[at] != b'/' {
        at += 1;
    }
    at
}

const fn is_parameter(path: &[u8], start: usize, end: usize) -> bool {
    end - start >= 2 && path[start] == b'{' && path[end - 1] == b'}'
}

const fn same_segment(a: &[u8], i: usize, i_end: usize, b: &[u8], j: usize, j_end: usize) -> bool {
    match (is_parameter(a, i, i_end), is_parameter(b, j, j_end)) {
        (true, true) => true,
        (false, false) => same_bytes(a, i, i_end, b, j, j_end),
        _ => false,
    }
}

const fn same_bytes(
    a: &[u8],
    mut i: usize,
    i_end: usize,
    b: &[u8],
    mut j: usize,
    j_end: usize,
) -> bool {
    if i_end - i != j_end - j {
        return false;
    }
    while i < i_end {
        if a[i] != b[j] {
            return false;
        }
        i += 1;
        j += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_differ_only_in_parameter_names_have_the_same_shape() {
        for (a, b, same) in [
            ("/", "/", true),
            ("/chat", "/chat", true),
            ("/chat", "/chats", false),
            ("/{a}", "/{b}", true),
            ("/{a}", "/b", false),
            ("/a/{b}", "/a/{b}/c", false),
            ("/a/{b}/c", "/a/{x}/c", true),
            ("/a", "/", false),
        ] {
            assert_eq!(same_shape(a, b), same, "{a} {b}");
            assert_eq!(same_shape(b, a), same, "{b} {a}");
        }
    }

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        assert!(has_parameter("/a/{room}/{id}", "id"));
        assert!(!has_parameter("/a/{room}/{id}", "roo"));
        assert!(!has_parameter("/a/room", "room"));
    }

    #[test]
    fn the_first_parameter_is_found_after_fixed_segments() {
        assert_eq!(first_parameter("/a/{room}/{id}"), Some("room"));
        assert_eq!(first_parameter("/{größe}"), Some("größe"));
        assert_eq!(first_parameter("/a/b"), None);
        assert_eq!(first_parameter(""), None);
    }

    /// Equal to the table in harpia-macros' path.rs, which `tests/grammars.rs` compares.
    const ACCEPTED: [&str; 11] = [
        "/",
        "/chat",
        "/rooms/{room}",
        "/{a}/{b}",
        "/{_a1}",
        "/{größe}",
        "/café",
        "/caf%C3%A9",
        "/a:b",
        "/~a.b-c_d",
        "/{a}/<b",
    ];

    /// Equal to the table in harpia-macros' path.rs, which `tests/grammars.rs` compares.
    const REFUSED: [&str; 30] = [
        "",
        "chat",
        "{a}",
        "//",
        "/a/",
        "/{a}/",
        "/a//b",
        "//a",
        "/{}",
        "/{_}",
        "/{1a}",
        "/{a-b}",
        "/{a b}",
        "/{{a}}",
        "/{a}/{a}",
        "/{a",
        "/a}",
        "/a{b}",
        "/{a}b",
        "/{a}{b}",
        "/:id",
        "/<id>",
        "/<int:id>",
        "/*",
        "/a*b",
        "/{*rest}",
        "/a?x",
        "/a#x",
        "/a b",
        "/a\tb",
    ];

    #[test]
    fn a_path_is_fixed_segments_and_whole_parameters() {
        for right in ACCEPTED {
            assert!(Pattern::parse(right).is_ok(), "{right}");
        }
        for wrong in REFUSED {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn prefixes_join_without_doubled_slashes() {
        let join = |prefix, path| {
            let prefix = Pattern::parse_prefix(prefix).unwrap();
            Pattern::parse(path).unwrap().prefixed(&prefix).text
        };
        assert_eq!(join("/api", "/chat"), "/api/chat");
        assert_eq!(join("/api", "/"), "/api");
        assert_eq!(join("/", "/chat"), "/chat");
        assert!(Pattern::parse_prefix("/{tenant}").is_err());
    }

    #[test]
    fn escaped_and_plain_paths_are_equal() {
        assert_eq!(canonical("/caf%C3%A9"), canonical("/café"));
        assert_eq!(canonical("/%63hat"), "/chat");
        assert_eq!(canonical("/a%2fb"), "/a%2Fb");
    }
}
