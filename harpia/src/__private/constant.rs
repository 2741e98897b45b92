//! Checks that run in a `const` of the user's crate, and fail with a panic at compile time.
//!
//! Each is `#[track_caller]`, so that the error points at the user's code and not at this file.

use crate::extract::PathFields;
use crate::path::first_parameter;
use crate::route::{missing_path_field, same_shape};

/// Rejects data that reads a path parameter which the path does not have.
#[track_caller]
pub const fn check_path_fields(fields: PathFields, path: &str) {
    if let Some(name) = missing_path_field(fields, path) {
        let text = Text::new()
            .push("the route's data reads the path parameter `")
            .push(name)
            .push("`, which is not in the path `")
            .push(path);
        let text = match first_parameter(path) {
            Some(known) => text
                .push("`\n= help: write `#[from(path = \"")
                .push(known)
                .push("\")]` on its field, or add `{")
                .push(name)
                .push("}` to the path"),
            None => text
                .push("`\n= help: add `{")
                .push(name)
                .push("}` to the path, or remove the field"),
        };
        panic!("{}", text.as_str());
    }
}

/// Rejects `origins = any` on a route that reads cookies.
#[track_caller]
pub const fn check_any_origin(reads_cookies: bool) {
    assert!(
        !reads_cookies,
        "a route whose data reads cookies cannot have `origins = any`: any page could act for its \
         visitors\n= help: name the origins, as in `origins = [\"https://example.com\"]`"
    );
}

/// Rejects two routes that answer the same paths.
///
/// An empty path means that the type is not a route, which is an error of its own.
#[track_caller]
pub const fn check_distinct(first: &str, first_path: &str, second: &str, second_path: &str) {
    if !first_path.is_empty() && same_shape(first_path, second_path) {
        let text = Text::new()
            .push("routes `")
            .push(first)
            .push("` (\"")
            .push(first_path)
            .push("\") and `")
            .push(second)
            .push("` (\"")
            .push(second_path)
            .push(
                "\") answer the same paths\n= help: change one path in its `#[ws_route(\"…\")]`, ",
            )
            .push("or put one in a `routes!` of its own and `nest` that");
        panic!("{}", text.as_str());
    }
}

/// Text that is put together at compile time, without allocation. It is cut after 512 bytes.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Text {
    const fn new() -> Self {
        Self {
            bytes: [0; 512],
            len: 0,
        }
    }

    const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "(the message does not fit)",
        }
    }
}
