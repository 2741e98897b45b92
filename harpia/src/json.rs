//! What is wrong with JSON from outside, told without a word of it.
//!
//! serde's own texts quote the value: a token that was sent where a struct is wanted would stand in
//! the log. What is kept here is the kind of mistake, the names that the program's type has, and
//! the place.

use std::{error, fmt};

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// A mistake in JSON and where it stands: `missing field `y` at line 1 column 7`.
#[derive(Debug)]
pub(crate) struct JsonError {
    text: String,
}

impl JsonError {
    /// Of an error that knows no path.
    pub(crate) fn new(error: &serde_json::Error) -> Self {
        let what = what(error);
        Self::at(error, what, String::new())
    }

    /// Of an error that knows its path.
    pub(crate) fn with_path(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (path, error) = (error.path(), error.inner());
        // Below a field that nobody reads, the path of broken JSON is the client's.
        let path = match error.classify() {
            Category::Data => shown(path, &message(error)),
            _ => String::new(),
        };
        Self::at(error, what(error), path)
    }

    /// Of an error for which the JSON is read again, as a `T`, to find its path.
    ///
    /// To keep track of it from the start would cost every message an allocation for each key.
    pub(crate) fn located<T: DeserializeOwned>(error: &serde_json::Error, json: &[u8]) -> Self {
        let mut json = serde_json::Deserializer::from_slice(json);
        match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Err(error) => Self::with_path(&error),
            Ok(_) => Self::new(error),
        }
    }

    fn at(error: &serde_json::Error, what: String, path: String) -> Self {
        let mut text = what;
        let mut link = " at ";
        if !path.is_empty() {
            text.push_str(&format!("{link}`{path}`"));
            link = ", ";
        }
        // What was no text, as the claims of a token, has no lines.
        if error.line() > 0 {
            let (line, column) = (error.line(), error.column());
            text.push_str(&format!("{link}line {line} column {column}"));
        }
        Self { text }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl error::Error for JsonError {}

fn what(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => misfit(&message(error)),
        Category::Io => "it could not be written".to_owned(),
        // Of these every text is fixed.
        Category::Eof | Category::Syntax => message(error),
    }
}

/// The error's text without the place.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// Takes of a text of serde's what is not the client's.
///
/// A text of the program's own type may say anything, so all that is kept of it is that there was
/// one.
pub(crate) fn misfit(text: &str) -> String {
    // The name of a field of the type: nothing else has this form.
    for kind in ["missing field", "duplicate field"] {
        let name = text.strip_prefix(kind).and_then(quoted);
        if let Some(name) = name {
            return format!("{kind} `{name}`");
        }
    }
    for kind in ["unknown field", "unknown variant", "invalid length"] {
        if text.starts_with(kind) {
            return format!("{kind}{}", expected(text));
        }
    }
    for kind in ["invalid type", "invalid value"] {
        let rest = text.strip_prefix(kind).unwrap_or_default();
        let rest = rest.trim_start_matches(": ");
        if let Some(found) = FOUND.iter().find(|found| rest.starts_with(**found)) {
            return format!("{kind}: {found}{}", expected(text));
        }
    }
    "invalid value".to_owned()
}

fn quoted(text: &str) -> Option<&str> {
    let name = text.strip_prefix(" `")?.strip_suffix('`')?;
    is_name(name).then_some(name)
}

/// What serde says of the type, behind all that it says of the value.
fn expected(text: &str) -> String {
    match text.rsplit_once(", expected ") {
        // Nothing more is expected, and what was found may end in anything.
        _ if text.ends_with(", there are no fields") => String::new(),
        _ if text.ends_with(", there are no variants") => String::new(),
        Some((_, wanted)) if is_serdes_own(wanted) => format!(", expected {wanted}"),
        _ => String::new(),
    }
}

/// Says whether this is what serde and its derive say of a type: a type of the program's may say
/// anything, also what was sent.
fn is_serdes_own(wanted: &str) -> bool {
    let is_listed = |word: &str| {
        let name = word
            .strip_prefix('`')
            .and_then(|rest| rest.strip_suffix('`'));
        name.is_some_and(is_name)
    };
    let list = wanted.strip_prefix("one of ").unwrap_or(wanted);
    if list
        .split(", ")
        .flat_map(|part| part.split(" or "))
        .all(is_listed)
    {
        return true;
    }
    let described = KINDS.iter().find_map(|kind| wanted.strip_prefix(kind));
    TYPES.contains(&wanted)
        || described
            .is_some_and(|rest| rest.split(' ').all(|word| is_name(word) || word.is_empty()))
}

/// The path to a value that does not fit, as `moves[2].x`.
///
/// A key that is data, as a map has them, or a variant that `#[serde(other)]` takes, is told from the
/// names of the type only by what it looks like.
fn shown(path: &Path, message: &str) -> String {
    let mut shown = String::new();
    for segment in path.iter() {
        let name = match segment {
            Segment::Seq { index } => {
                shown.push_str(&format!("[{index}]"));
                continue;
            }
            Segment::Map { key } => key,
            Segment::Enum { variant } => variant,
            Segment::Unknown => "…",
        };
        // The client's name, and not one of the type's.
        if message.starts_with(&format!("unknown field `{name}`"))
            || message.starts_with(&format!("unknown variant `{name}`"))
        {
            break;
        }
        if !shown.is_empty() {
            shown.push('.');
        }
        shown.push_str(if is_name(name) { name } else { "…" });
    }
    shown
}

fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Fields are shorter; ids and tokens are longer.
const LONGEST_NAME: usize = 30;

/// What serde calls that which it found.
const FOUND: [&str; 13] = [
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "null",
    "sequence",
    "map",
    "enum",
    "unit variant",
    "newtype variant",
    "tuple variant",
    "struct variant",
];

/// What serde calls the types that are not the program's.
const TYPES: [&str; 31] = [
    "a Duration",
    "a borrowed byte array",
    "a borrowed string",
    "a boolean",
    "a byte array",
    "a character",
    "a map",
    "a sequence",
    "a string",
    "any value",
    "f32",
    "f64",
    "field identifier",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "identifier",
    "isize",
    "null",
    "option",
    "path string",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "unit",
    "usize",
    "variant identifier",
];

/// What serde's derive calls those that are, before a name or a number.
const KINDS: [&str; 16] = [
    "a nonzero ",
    "a tuple of size ",
    "adjacently tagged enum ",
    "an array of length ",
    "enum ",
    "fewer elements in ",
    "internally tagged enum ",
    "newtype struct ",
    "newtype variant ",
    "struct ",
    "struct variant ",
    "tuple struct ",
    "tuple variant ",
    "unit struct ",
    "unit variant ",
    "variant index ",
];

#[cfg(test)]
mod tests;
