//! Errors in JSON from outside, described without quoting it.
//!
//! serde's own messages quote the value. A client that sends a token where a struct is expected
//! would then write the token to the log. A [`JsonError`] has the category of the mistake, the path
//! and the place, and of serde's messages only the name of a missing field.

use std::{error, fmt};

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// A mistake in JSON and its place, as in ``missing field `y` at line 1 column 7``.
#[derive(Debug)]
pub(crate) struct JsonError {
    problem: String,
    path: String,
    line: usize,
    column: usize,
}

impl JsonError {
    /// Describes an error that has no path.
    pub(crate) fn new(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        // serde_json appends the place.
        let message = message.split(" at line ").next().unwrap_or_default();
        let problem = match (error.classify(), missing_field(message)) {
            (Category::Data, Some(name)) => format!("missing field `{name}`"),
            (Category::Data, None) => "invalid data".to_owned(),
            (Category::Eof, _) => "incomplete JSON".to_owned(),
            (Category::Syntax | Category::Io, _) => "invalid JSON".to_owned(),
        };
        Self {
            problem,
            path: String::new(),
            line: error.line(),
            column: error.column(),
        }
    }

    /// Describes an error that has a path.
    pub(crate) fn with_path(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (path, error) = (error.path(), error.inner());
        let mut described = Self::new(error);
        // In a field that the program does not read, the path of broken JSON is the client's.
        if error.classify() == Category::Data {
            described.path = shown(path, &error.to_string());
        }
        described
    }

    /// Describes an error in `json`, which is read again as a `T` to find the path.
    ///
    /// Tracking the path in the first place would cost every valid message an allocation for each
    /// key.
    pub(crate) fn located<T: DeserializeOwned>(error: &serde_json::Error, json: &[u8]) -> Self {
        let mut json = serde_json::Deserializer::from_slice(json);
        match serde_path_to_error::deserialize::<_, T>(&mut json) {
            Err(error) => Self::with_path(&error),
            Ok(_) => Self::new(error),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            problem,
            path,
            line,
            column,
        } = self;
        f.write_str(problem)?;
        // The claims of a token are values already, and have no lines.
        match (path.is_empty(), *line) {
            (true, 0) => Ok(()),
            (true, _) => write!(f, " at line {line} column {column}"),
            (false, 0) => write!(f, " at `{path}`"),
            (false, _) => write!(f, " at `{path}`, line {line} column {column}"),
        }
    }
}

impl error::Error for JsonError {}

/// Returns the name in a message of serde's that says that a field is missing.
///
/// The name is one of the program's type, since the field is not in the input.
pub(crate) fn missing_field(message: &str) -> Option<&str> {
    let name = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    (!name.contains('`')).then_some(name)
}

/// Writes a path as `moves[2].x`, without names that only the client can have chosen.
///
/// The keys of a map, and a variant that `#[serde(other)]` takes, cannot be told from the names of
/// the program's type. They are shown if they look like a name.
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
        let is_unknown = ["field", "variant"]
            .iter()
            .any(|kind| message.starts_with(&format!("unknown {kind} `{name}`")));
        if is_unknown {
            break;
        }
        if !shown.is_empty() {
            shown.push('.');
        }
        shown.push_str(if is_name(name) { name } else { "…" });
    }
    shown
}

/// Returns whether a text looks like the name of a field, and not like an id or a token.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

/// In bytes. Names of fields are shorter; ids and tokens are longer.
const LONGEST_NAME: usize = 30;

#[cfg(test)]
mod tests;
