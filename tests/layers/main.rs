//! The layers of harpia's source: which module may import which.
//!
//! A module may import from its own layer and from the layers below it. Modules next to each other
//! never import each other in a circle. That also holds inside each folder of modules, where the
//! folder's `mod.rs` is not counted: it has the main type, and other files of the folder may use
//! and extend that type.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use source::{Module, Source};

/// The layers of `harpia`, lowest first.
const LAYERS: [(&str, &[&str]); 8] = [
    (
        "basics",
        &[
            "budget",
            "clock",
            "close",
            "error",
            "id",
            "json",
            "limits",
            "log_limit",
            "message",
            "options",
            "outcome",
            "panic_guard",
            "path",
            "sync",
        ],
    ),
    ("protocol", &["protocol"]),
    ("transport", &["transport"]),
    ("delivery", &["hub"]),
    (
        "user API",
        &["auth", "extract", "peer", "route", "session", "socket"],
    ),
    ("connection", &["connection"]),
    ("server", &["server"]),
    (
        "macro output, benchmarks, fuzzing and guide",
        &["__private", "bench", "fuzz", "guide"],
    ),
];

/// The crates whose modules must not import each other in a circle.
const CRATES: [&str; 3] = [
    "harpia/src",
    "harpia-macros/src",
    "harpia/benches/loadtest/src",
];

/// Dependencies, each with the only paths whose code may use it.
const CONFINED: [(&str, &[&str]); 8] = [
    ("hyper", &["server/", "protocol/handshake.rs"]),
    ("hyper_util", &["server/"]),
    ("fastwebsockets", &["protocol/"]),
    ("jsonwebtoken", &["auth/"]),
    ("matchit", &["server/router.rs"]),
    ("socket2", &["transport/", "server/listen/"]),
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

fn layer(module: &str) -> Option<usize> {
    let has = |(_, modules): &(&str, &[&str])| modules.contains(&module);
    LAYERS.iter().position(has)
}

#[test]
fn every_module_has_a_layer() {
    let known: BTreeSet<&str> = LAYERS
        .iter()
        .flat_map(|(_, modules)| *modules)
        .copied()
        .collect();
    let source = Source::read("harpia/src");
    let found: BTreeSet<&str> = source
        .modules()
        .filter_map(|one| one.first())
        .map(String::as_str)
        .collect();
    assert_eq!(known, found);
}

#[test]
fn imports_point_down() {
    let source = Source::read("harpia/src");
    let is_upward = |from: &Module, to: &Module| match (from.first(), to.first()) {
        // `lib.rs` re-exports. No other module imports its names.
        (None, _) => false,
        (Some(_), None) => true,
        (Some(from), Some(to)) => layer(from) < layer(to),
    };
    let upward: Vec<String> = source
        .imports()
        .filter(|(from, to)| is_upward(from, to))
        .map(|(from, to)| format!("`{}` imports `crate::{}`", from.join("::"), to.join("::")))
        .collect();
    assert_eq!(upward, [""; 0]);
}

#[test]
fn modules_next_to_each_other_do_not_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for crate_path in CRATES {
        let source = Source::read(crate_path);
        let folders: BTreeSet<&[String]> = source
            .modules()
            .filter_map(|one| Some(one.split_last()?.1))
            .collect();
        for folder in folders {
            if let Some(circle) = circle(&siblings(&source, folder)) {
                circles.push(format!("{crate_path}: in `{}`, {circle}", folder.join("/")));
            }
        }
    }
    assert_eq!(circles, [""; 0]);
}

/// Returns which modules of a folder import which, with what is below a module counted as the
/// module.
fn siblings<'a>(source: &'a Source, folder: &[String]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let name = |module: &'a Module| Some(module.strip_prefix(folder)?.first()?.as_str());
    let mut graph = BTreeMap::<_, BTreeSet<_>>::new();
    for (from, to) in source.imports() {
        if let (Some(from), Some(to)) = (name(from), name(to))
            && from != to
        {
            graph.entry(from).or_default().insert(to);
        }
    }
    graph
}

/// Returns a circle of the graph, if there is one: `a imports b imports a`.
fn circle(graph: &BTreeMap<&str, BTreeSet<&str>>) -> Option<String> {
    let mut left = graph.clone();
    // A module that imports none of those left is part of no circle.
    loop {
        let names: BTreeSet<&str> = left.keys().copied().collect();
        let before = left.len();
        left.retain(|_, imports| !imports.is_disjoint(&names));
        if left.len() == before {
            break;
        }
    }
    let first = *left.keys().next()?;
    let mut way = vec![first];
    loop {
        let last = *way.last()?;
        let next = *left[last].iter().find(|name| left.contains_key(*name))?;
        if let Some(start) = way.iter().position(|name| *name == next) {
            way.push(next);
            return Some(way[start..].join(" imports "));
        }
        way.push(next);
    }
}

#[test]
fn confined_crates_are_named_only_in_their_places() {
    let mut outside = Vec::new();
    let source = Source::read("harpia/src");
    for (file, lines) in source.files() {
        for (name, places) in CONFINED {
            let path = format!("{name}::");
            let names_it = |line: &String| {
                let begins = line.find(&path);
                begins.is_some_and(|at| {
                    !line[..at].ends_with(|c: char| c == '_' || c.is_alphanumeric())
                })
            };
            let is_inside = places.iter().any(|place| file.starts_with(place));
            if !is_inside && lines.iter().any(names_it) {
                outside.push(format!("{file} names `{name}`"));
            }
        }
    }
    assert_eq!(outside, [""; 0]);
}
