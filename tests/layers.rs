//! The layers of harpia's source: which module may import which.
//!
//! A module may import only from lower layers, which are the lines above its own in [`LAYERS`].

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. Modules of the same layer must not import each other.
const LAYERS: [&[&str]; 14] = [
    &[
        "budget",
        "clock",
        "close",
        "id",
        "json",
        "options",
        "panic_guard",
        "path",
        "sync",
    ],
    &["error", "limits"],
    &["log_limit", "message"],
    &["outcome"],
    &["protocol"],
    &["transport"],
    &["hub", "extract"],
    &["peer"],
    &["socket"],
    &["auth", "route", "session"],
    &["connection"],
    &["server"],
    &["__private"],
    &["bench", "guide"],
];

/// Dependencies, each with the only paths whose code may use it.
const CONFINED: [(&str, &[&str]); 8] = [
    ("hyper", &["server/", "protocol/handshake.rs"]),
    ("hyper_util", &["server/"]),
    ("fastwebsockets", &["protocol/"]),
    ("jsonwebtoken", &["auth/"]),
    ("matchit", &["server/router.rs"]),
    ("socket2", &["transport/"]),
    ("redis", &["session/"]),
    // The protocol and the basic types need no runtime, so their tests need none either.
    (
        "tokio",
        &[
            "server/",
            "connection/",
            "transport/",
            "hub/log.rs",
            "hub/mod.rs",
            "hub/table/model/",
            "session/login.rs",
            "session/login/tests.rs",
            "session/redis.rs",
            "session/tests.rs",
        ],
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../harpia/src")
}

/// Returns every source file: its path below `src`, and its lines without comments.
fn files() -> Vec<(String, Vec<String>)> {
    let root = source();
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of source") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("source is text");
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let name = path.strip_prefix(&root).expect("a path below the root");
            files.push((
                name.display().to_string(),
                lines.map(str::to_owned).collect(),
            ));
        }
    }
    files
}

fn module(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// Returns the modules that a line names after `crate::`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn every_module_has_a_layer() {
    let known: BTreeSet<&str> = LAYERS.iter().copied().flatten().copied().collect();
    let files = files();
    let found: BTreeSet<&str> = files
        .iter()
        .map(|(file, _)| module(file))
        .filter(|one| *one != "lib")
        .collect();
    assert_eq!(known, found);
}

#[test]
fn imports_point_down() {
    let mut upward = Vec::new();
    for (file, lines) in files().iter().filter(|(file, _)| file != "lib.rs") {
        let own = module(file);
        for name in lines.iter().flat_map(|line| named(line)) {
            // Any other name is a macro or a re-export. Only `lib.rs` may use those.
            let allowed = name == own || layer(name) < layer(own) && layer(name).is_some();
            if !allowed {
                upward.push(format!("{file} imports `{name}`"));
            }
        }
    }
    assert_eq!(upward, [""; 0]);
}

#[test]
fn confined_crates_are_named_only_in_their_places() {
    let mut outside = Vec::new();
    for (file, lines) in files() {
        for (name, places) in CONFINED {
            let path = format!("{name}::");
            let names_it = |line: &&String| {
                let begins = line.find(&path);
                begins.is_some_and(|at| {
                    !line[..at].ends_with(|c: char| c == '_' || c.is_alphanumeric())
                })
            };
            let is_inside = places.iter().any(|place| file.starts_with(place));
            if !is_inside && lines.iter().any(|line| names_it(&line)) {
                outside.push(format!("{file} names `{name}`"));
            }
        }
    }
    assert_eq!(outside, [""; 0]);
}
