//! Compile tests of the macros: routes that compile, and mistakes with their compile errors.
//!
//! The files in `ui/pass` check hygiene. Each file in `ui/fail` has one mistake and is named after
//! it. After you change a message, run `TRYBUILD=overwrite cargo test -p harpia-tests --test ui`
//! and read every changed `.stderr` file as a user would: does it say what to do next?

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler version that wrote the `.stderr` files.
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
        println!("{version} is not {WRITTEN_WITH}x: only errors of the macros are compared");
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

/// Returns whether all errors come from the macros. Errors of rustc have numbers.
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
