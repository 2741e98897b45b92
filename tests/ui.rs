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
fn what_is_right_compiles() {
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
