//! The tables of route options and of handlers in the documentation of `#[ws_route]`, compared with
//! every other place that lists them.
//!
//! An option or a handler that is added to one place and forgotten in another fails here, and the
//! failure names the place. The table of close causes has a test of its own in
//! `harpia/src/close/cause.rs`, and the table of limits in `harpia/src/limits/tests.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

type Names = BTreeSet<String>;

/// Returns a part of a source file, from `start` to the next `end`.
fn part(file: &str, start: &str, end: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let Ok(text) = fs::read_to_string(path) else {
        panic!("{file} is missing");
    };
    let Some((_, rest)) = text.split_once(start) else {
        panic!("{file} has no `{start}`");
    };
    let Some((part, _)) = rest.split_once(end) else {
        panic!("{file} has no `{end}` after `{start}`");
    };
    part.to_owned()
}

/// Returns the word after each `before` in a text.
fn words_after(text: &str, before: &str) -> Names {
    let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let words = text.split(before).skip(1).map(|rest| {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    words.filter(|word| !word.is_empty()).collect()
}

/// Returns the names in the first column of a table, which are in backticks.
fn first_column(table: &str) -> Names {
    words_after(table, "/// | `")
}

fn names<const N: usize>(list: [&str; N]) -> Names {
    list.into_iter().map(str::to_owned).collect()
}

/// Asserts that a place names exactly what the table has.
fn assert_place(place: &str, found: &Names, table: &Names) {
    let missing: Vec<_> = table.difference(found).collect();
    let unknown: Vec<_> = found.difference(table).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "{place} lacks {missing:?}, and has {unknown:?}, which the table in harpia/src/lib.rs lacks"
    );
}

/// The keys of the attribute that set nothing in `Options`.
const KEYS_OF_THE_MACRO: [&str; 2] = ["data", "crate"];

fn options() -> Names {
    let table = part(
        "harpia/src/lib.rs",
        "/// | option | values | default |",
        "\n///\n",
    );
    let options = first_column(&table);
    assert!(options.len() > 10, "{options:?}");
    options
}

#[test]
fn every_route_option_is_in_every_place_that_lists_options() {
    let keys = options();
    let set = &keys - &names(KEYS_OF_THE_MACRO);

    let macro_keys = part("harpia-macros/src/lower/options.rs", "const KEYS", "];");
    let known = words_after(&macro_keys, "    \"");
    assert_place(
        "`KEYS` in harpia-macros/src/lower/options.rs",
        &known,
        &keys,
    );

    let fields = part("harpia/src/options.rs", "pub struct Options {", "\n}");
    let known = words_after(&fields, "pub(crate) ");
    assert_place("`Options` in harpia/src/options.rs", &known, &set);

    let methods = part("harpia/src/options.rs", "impl Options {", "\n}");
    let known = &words_after(&methods, "pub const fn ") - &names(["new"]);
    assert_place("`impl Options` in harpia/src/options.rs", &known, &set);

    let methods = part("harpia/src/server/defaults.rs", "impl App {", "\n}");
    let known = words_after(&methods, "    pub fn ");
    assert_place("`impl App` in harpia/src/server/defaults.rs", &known, &set);

    let snapshot = part(
        "harpia-macros/src/snapshots.rs",
        "fn every_option()",
        "impl Chat",
    );
    let known = words_after(&snapshot, "\n            ");
    let known: Names = known
        .into_iter()
        .filter(|word| keys.contains(word))
        .collect();
    assert_place(
        "`every_option` in harpia-macros/src/snapshots.rs",
        &known,
        &keys,
    );
}

#[test]
fn every_limit_of_a_route_has_a_row_in_the_guide() {
    let limits = part("harpia/src/limits.rs", "pub(crate) struct Limits {", "\n}");
    let limits = words_after(&limits, "    pub(crate) ");
    let rows = part("harpia/guide/limits.md", "# All limits", "\n# ");
    let rows = rows.lines().filter(|row| row.contains("` | route |"));
    let rows: Names = rows
        .filter_map(|row| row.split('`').nth(1))
        .map(str::to_owned)
        .collect();
    assert_place("the table in harpia/guide/limits.md", &rows, &limits);
}

#[test]
fn every_handler_is_in_every_place_that_lists_handlers() {
    let table = part(
        "harpia/src/lib.rs",
        "/// | handler | called | arguments |",
        "\n///\n",
    );
    let handlers = first_column(&table);
    assert!(handlers.len() > 5, "{handlers:?}");

    let kinds = part("harpia-macros/src/model.rs", "fn name(self)", "\n    }");
    let known = words_after(&kinds, "=> \"");
    assert_place(
        "`Kind::name` in harpia-macros/src/model.rs",
        &known,
        &handlers,
    );

    let methods = part("harpia/src/route.rs", "pub trait Route", "\n}");
    let known = &words_after(&methods, "\n    fn ") - &names(["parameters"]);
    assert_place("`Route` in harpia/src/route.rs", &known, &handlers);

    let forwarded = part("harpia/src/route/shared.rs", "Route for", "\n}");
    let known = &words_after(&forwarded, "\n    fn ") - &names(["parameters"]);
    assert_place("harpia/src/route/shared.rs", &known, &handlers);

    let snapshot = part(
        "harpia-macros/src/snapshots.rs",
        "impl Chat {\n                async fn connect",
        "assert_expansion",
    );
    let known = &words_after(&format!("fn connect{snapshot}"), "fn ") - &names(["not_a_handler"]);
    assert_place(
        "`all_handlers` in harpia-macros/src/snapshots.rs",
        &known,
        &handlers,
    );

    let program = part("tests/ui/pass/all_handlers.rs", "impl Chat {", "\n}");
    let known = words_after(&program, "fn ");
    assert_place("tests/ui/pass/all_handlers.rs", &known, &handlers);

    let known = words_after(&part("harpia/src/error.rs", "/// The handler: ", "\n"), "`");
    // An error of `connect` is a response, and reaches no `error` handler.
    let reported = &handlers - &names(["connect"]);
    assert_place("`Error::Handler` in harpia/src/error.rs", &known, &reported);
}
