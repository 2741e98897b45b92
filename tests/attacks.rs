//! The table of attacks in the guide: each row names tests, and each of them exists.

use std::fs;
use std::path::Path;

/// Returns the names in backticks in a row's last column.
fn tests_of(row: &str) -> Vec<&str> {
    let last = row.trim_end_matches(" |").rsplit(" | ").next();
    let parts = last.unwrap_or_default().split('`');
    parts.skip(1).step_by(2).collect()
}

/// Returns all code below a folder, in one text.
fn code(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text.push_str(&code(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&fs::read_to_string(path).expect("code"));
        }
    }
    text
}

#[test]
fn every_attack_in_the_guide_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = fs::read_to_string(root.join("harpia/guide/security.md")).expect("the table");
    let code = code(&root.join("harpia/src")) + &code(&root.join("tests"));
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| "));
    let rows: Vec<&str> = rows.skip(1).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let tests = tests_of(row);
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            let is_ui = root.join("tests/ui/fail").join(test).exists();
            let is_there = is_ui || code.contains(&format!("fn {test}("));
            assert!(is_there, "there is no test `{test}`");
        }
    }
}
