//! Parses the text of a route's path into parameters, or into a fault. Does not use syn, and leaves
//! the wording of errors to `lower`.

/// A fault, and its place in the text, in characters.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

#[derive(Debug, Eq, PartialEq)]
pub(crate) enum FaultKind {
    NoLeadingSlash,
    EmptySegment,
    TrailingSlash,
    Query,
    BadName(String),
    DuplicateName(String),
    /// The same segment in harpia's syntax.
    Foreign {
        text: String,
        ours: String,
    },
    CatchAll,
    PartOfSegment(String),
    Reserved(String),
    Character(char),
}

/// Returns the names of the parameters in order, or the first fault.
pub(crate) fn parse(path: &str, reserved: &[&str]) -> Result<Vec<String>, Fault> {
    let count = path.chars().count();
    if let Some(at) = path.chars().position(|c| matches!(c, '?' | '#')) {
        return Err(fault(FaultKind::Query, at, count - at));
    }
    if let Some((at, c)) = path
        .chars()
        .enumerate()
        .find(|(_, c)| c.is_whitespace() || c.is_control())
    {
        return Err(fault(FaultKind::Character(c), at, 1));
    }
    if !path.starts_with('/') {
        return Err(fault(FaultKind::NoLeadingSlash, 0, count.max(1)));
    }
    let mut names = Vec::new();
    if path == "/" {
        return Ok(names);
    }
    let mut start = 1;
    for segment in path[1..].split('/') {
        let len = segment.chars().count();
        if segment.is_empty() && start == count {
            return Err(fault(FaultKind::TrailingSlash, start - 1, 1));
        }
        let kind = if segment.is_empty() {
            Some(FaultKind::EmptySegment)
        } else {
            parameter(segment, &mut names, reserved)
        };
        match kind {
            Some(FaultKind::EmptySegment) => {
                return Err(fault(FaultKind::EmptySegment, start - 1, 2));
            }
            Some(kind) => return Err(fault(kind, start, len)),
            None => start += len + 1,
        }
    }
    Ok(names)
}

fn fault(kind: FaultKind, start: usize, len: usize) -> Fault {
    Fault { kind, start, len }
}

/// Adds the name of the parameter if the segment is one, or returns what is wrong with the segment.
fn parameter(segment: &str, names: &mut Vec<String>, reserved: &[&str]) -> Option<FaultKind> {
    if let Some(name) = segment.strip_prefix(':') {
        return Some(foreign(segment, name));
    }
    if let Some(name) = segment
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        return Some(foreign(
            segment,
            name.split(':').next_back().unwrap_or(name),
        ));
    }
    if segment.contains('*') {
        return Some(FaultKind::CatchAll);
    }
    let Some(name) = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    else {
        let is_part = segment.contains(['{', '}']);
        return is_part.then(|| FaultKind::PartOfSegment(segment.to_owned()));
    };
    if !is_name(name) {
        return Some(FaultKind::BadName(name.to_owned()));
    }
    if reserved.contains(&name) {
        return Some(FaultKind::Reserved(name.to_owned()));
    }
    if names.iter().any(|known| known == name) {
        return Some(FaultKind::DuplicateName(name.to_owned()));
    }
    names.push(name.to_owned());
    None
}

fn foreign(text: &str, name: &str) -> FaultKind {
    FaultKind::Foreign {
        text: text.to_owned(),
        ours: format!("{{{name}}}"),
    }
}

fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|c| c == '_' || c.is_alphabetic());
    begins && name != "_" && characters.all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str) -> Option<FaultKind> {
        parse(path, &["message"]).err().map(|fault| fault.kind)
    }

    /// The same table as in harpia's `path/pattern.rs`. `tests/grammars.rs` compares them.
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

    /// The same table as in harpia's `path/pattern.rs`. `tests/grammars.rs` compares them.
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
            assert!(parse(right, &[]).is_ok(), "{right}");
        }
        for wrong in REFUSED {
            assert!(parse(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn parameters_come_in_order() {
        let names = parse("/a/{room}/b/{user_id}", &[]).unwrap();
        assert_eq!(names, ["room", "user_id"]);
        assert_eq!(parse("/", &[]), Ok(Vec::new()));
    }

    #[test]
    fn each_fault_is_named() {
        let bad = |name: &str| Some(FaultKind::BadName(name.into()));
        assert_eq!(kind("chat"), Some(FaultKind::NoLeadingSlash));
        assert_eq!(kind(""), Some(FaultKind::NoLeadingSlash));
        assert_eq!(kind("/a//b"), Some(FaultKind::EmptySegment));
        assert_eq!(kind("/chat/"), Some(FaultKind::TrailingSlash));
        assert_eq!(kind("/chat?x"), Some(FaultKind::Query));
        assert_eq!(kind("/{1st}"), bad("1st"));
        assert_eq!(kind("/{}"), bad(""));
        assert_eq!(kind("/{a}/{a}"), Some(FaultKind::DuplicateName("a".into())));
        assert_eq!(
            kind("/{message}"),
            Some(FaultKind::Reserved("message".into()))
        );
        assert_eq!(kind("/{*rest}"), Some(FaultKind::CatchAll));
        assert_eq!(
            kind("/x-{id}"),
            Some(FaultKind::PartOfSegment("x-{id}".into()))
        );
        assert_eq!(kind("/a b"), Some(FaultKind::Character(' ')));
        let foreign = |text: &str| FaultKind::Foreign {
            text: text.into(),
            ours: "{id}".into(),
        };
        assert_eq!(kind("/:id"), Some(foreign(":id")));
        assert_eq!(kind("/<int:id>"), Some(foreign("<int:id>")));
    }

    #[test]
    fn a_fault_says_where_in_characters() {
        let fault = parse("/ä//b", &[]).unwrap_err();
        assert_eq!((fault.start, fault.len), (2, 2));
    }
}
