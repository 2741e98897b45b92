//! What the macros accept, and what they say about what they do not.
//!
//! `ui/pass` proves hygiene; in `ui/fail` each file has one mistake and is named after it. After a
//! change to a message run `TRYBUILD=overwrite cargo test -p harpia-tests --test ui` and read every
//! `.stderr` that changed as a user would: is it plain what to do next?

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler whose words stand in the `.stderr` files.
const WRITTEN_WITH: &str = "rustc 1.95.";

#[test]
fn valid_routes_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn each_mistake_gives_one_error_that_says_what_to_do() {
    let cases = trybuild::TestCases::new();
    let version = compiler_version();
    let is_theirs = version.starts_with(WRITTEN_WITH);
    if !is_theirs {
        println!("{version} words its own errors otherwise than {WRITTEN_WITH}x: ours only");
    }
    let mistakes = mistakes();
    assert!(mistakes.len() > 80, "only {} files found", mistakes.len());
    for file in mistakes.iter().filter(|file| is_theirs || is_ours(file)) {
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

/// Says whether all errors are the macros' own: rustc's have numbers.
fn is_ours(file: &Path) -> bool {
    let expected = fs::read_to_string(file.with_extension("stderr"));
    expected.is_ok_and(|text| !text.contains("error["))
}

fn compiler_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
