//! Grammars that `harpia` and `harpia-macros` both implement, since neither can call the other's:
//! the macro checks attributes at compile time, and the library checks what is built at run time.
//!
//! The unit tests of each crate run its functions on a table of examples. Here the tables are
//! equal.

use std::fs;
use std::path::Path;

/// Returns the string literals in a piece of a source file, from `start` to the next `end`.
fn literals(file: &str, start: &str, end: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let source = fs::read_to_string(path).expect("a source file");
    let (_, piece) = source.split_once(start).expect("the start of the piece");
    let (piece, _) = piece.split_once(end).expect("the end of the piece");
    // No literal in these pieces has an escaped quote.
    let parts = piece.split('"').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// Asserts that a table of examples is equal in both crates.
fn assert_equal_tables(name: &str, library: &str, macros: &str) {
    let start = format!("const {name}: ");
    let [library, macros] = [library, macros].map(|file| literals(file, &start, "];"));
    assert!(library.len() > 5, "{name}: {library:?}");
    assert_eq!(library, macros, "{name}");
}

#[test]
fn both_crates_have_the_same_examples_of_paths() {
    let (library, macros) = ("harpia/src/path/pattern.rs", "harpia-macros/src/path.rs");
    assert_equal_tables("ACCEPTED", library, macros);
    assert_equal_tables("REFUSED", library, macros);
}

#[test]
fn both_crates_have_the_same_examples_of_origins() {
    let library = "harpia/src/protocol/origin/tests.rs";
    let macros = "harpia-macros/src/value.rs";
    assert_equal_tables("ORIGINS", library, macros);
    assert_equal_tables("NO_ORIGINS", library, macros);
}

#[test]
fn both_crates_allow_the_same_characters_in_tokens() {
    let files = [
        "harpia/src/protocol/header.rs",
        "harpia-macros/src/value.rs",
    ];
    let [library, macros] = files.map(|file| literals(file, "fn is_token(", "\n}"));
    assert_eq!(library.len(), 1, "{library:?}");
    assert_eq!(library, macros);
}
