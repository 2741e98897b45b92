//! What the macros accept, and what they say about what they do not.
//!
//! `ui/pass` proves hygiene; in `ui/fail` each file has one mistake and is named after it. After a
//! change to a message run `TRYBUILD=overwrite cargo test -p harpia-tests --test ui` and read every
//! `.stderr` that changed as a user would: is it plain what to do next?
//!
//! rustc writes a part of these texts, so each version words some of them differently. The test is
//! pinned to the version that `build.rs` names, and is ignored on any other.

use std::fs;
use std::path::PathBuf;

#[test]
fn valid_routes_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
#[cfg_attr(
    not(ui_toolchain),
    ignore = "this is not the compiler that tests/build.rs names: it words errors differently"
)]
fn each_mistake_gives_one_error_that_says_what_to_do() {
    let cases = trybuild::TestCases::new();
    let mistakes = mistakes();
    assert!(mistakes.len() > 80, "only {} files found", mistakes.len());
    for file in mistakes {
        cases.compile_fail(file);
    }
}

/// The exceptions: a file with several mistakes, and one where rustc has an error for each
/// attribute that no derive reads.
const SEVERAL_ERRORS: [&str; 2] = ["several_mistakes", "attributes_without_the_derive"];

#[test]
fn each_mistake_has_one_error() {
    for (file, text) in expected_outputs() {
        let errors = text.lines().filter(|line| line.starts_with("error"));
        let is_exception = SEVERAL_ERRORS.iter().any(|name| file.ends_with(name));
        assert_eq!(errors.count() == 1, !is_exception, "{}", file.display());
    }
}

#[test]
fn no_error_names_what_users_cannot_look_up() {
    for (file, text) in expected_outputs() {
        for hidden in ["__", "_::"] {
            assert!(!text.contains(hidden), "{hidden} in {}", file.display());
        }
    }
}

/// What rustc prints for each file: its path without extension, and the text.
fn expected_outputs() -> impl Iterator<Item = (PathBuf, String)> {
    mistakes().into_iter().map(|file| {
        let text = fs::read_to_string(file.with_extension("stderr")).expect("an expected output");
        (file.with_extension(""), text)
    })
}

fn mistakes() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("ui/fail")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of tests") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
