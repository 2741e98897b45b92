//! Tests: an error says where the mistake is, and quotes nothing that the client sent.

use std::collections::HashMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[expect(dead_code, reason = "the tests only look at errors")]
enum Request {
    Join,
    Token(String),
    Draw { points: Vec<Point>, color: [u8; 3] },
    Own(Own),
    Any(HashMap<String, bool>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the tests only look at errors")]
struct Point {
    x: i32,
    y: Option<i32>,
}

/// A type whose own error quotes the value.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Own;

impl TryFrom<String> for Own {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("{text} is not valid"))
    }
}

fn described(json: &str) -> String {
    let error = serde_json::from_str::<Request>(json).unwrap_err();
    JsonError::located::<Request>(&error, json.as_bytes()).to_string()
}

#[test]
fn an_error_has_the_category_the_path_and_the_place_but_not_the_value() {
    for (json, text) in [
        (
            r#"{"token":7}"#,
            "invalid data at `token`, line 1 column 10",
        ),
        (
            r#"{"draw":{"points":[{"x":1},{"x":"hunter2"}]}}"#,
            "invalid data at `draw.points[1].x`, line 1 column 41",
        ),
        (
            r#"{"draw":{"points":[{"y":1}]}}"#,
            "missing field `x` at `draw.points[0]`, line 1 column 26",
        ),
        (
            r#"{"draw":{"points":[{"x":1,"x":2}]}}"#,
            "invalid data at `draw.points[0]`, line 1 column 29",
        ),
        (
            r#"{"draw":{"points":[{"x":1,"hunter2":2}]}}"#,
            "invalid data at `draw.points[0]`, line 1 column 35",
        ),
        (
            r#"{"draw":{"color":[1,2]}}"#,
            "invalid data at `draw.color`, line 1 column 22",
        ),
        (r#"{"own":"hunter2"}"#, "invalid data at `own`"),
        (
            r#"{"any":{"light":1}}"#,
            "invalid data at `any.light`, line 1 column 17",
        ),
        (
            r#"{"any":{"id of more than one word":1}}"#,
            "invalid data at `any.…`, line 1 column 36",
        ),
        (r#""hunter2""#, "invalid data at line 1 column 9"),
        (
            r#"{"token":"hunter2"#,
            "incomplete JSON at line 1 column 17",
        ),
        ("hunter2", "invalid JSON at line 1 column 1"),
        (r#""join" hunter2"#, "invalid JSON at line 1 column 8"),
    ] {
        assert_eq!(described(json), text, "{json}");
    }
}

#[test]
fn an_error_in_a_value_without_text_has_no_line() {
    let error = serde_path_to_error::deserialize::<_, Point>(json!({ "x": "hunter2" }));
    let error = JsonError::with_path(&error.unwrap_err());
    assert_eq!(error.to_string(), "invalid data at `x`");
}

#[test]
fn only_a_whole_message_about_a_missing_field_has_its_name_kept() {
    assert_eq!(missing_field("missing field `a`"), Some("a"));
    for message in [
        "missing field `a`, not hunter2",
        "missing field `a`, not `hunter2`",
        "unknown field `hunter2`",
        "hunter2",
    ] {
        assert_eq!(missing_field(message), None, "{message}");
    }
}

/// JSON in which every text that is not a name of the types is the secret.
fn requests() -> impl Strategy<Value = Value> {
    let names = vec![
        "token", "draw", "own", "any", "points", "color", "x", "y", SECRET,
    ];
    let names = prop::sample::select(names);
    let leaf = prop_oneof![
        3 => Just(json!(SECRET)),
        1 => Just(json!(NUMBER)),
        1 => prop::sample::select(vec![json!(null), json!(1), json!(true), json!([])]),
    ];
    leaf.prop_recursive(4, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const SECRET: &str = "hunter2, expected 3";
const NUMBER: u64 = 77_777_777_777;

proptest! {
    #[test]
    fn no_error_quotes_what_the_client_sent(
        request in requests(),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = request.to_string();
        for json in [&*whole, &whole[..cut.index(whole.len())]] {
            if let Err(error) = serde_json::from_str::<Request>(json) {
                let error = JsonError::located::<Request>(&error, json.as_bytes());
                let shown = format!("{error} {error:?}");
                prop_assert!(!shown.contains("hunter"), "{shown} for {json}");
                prop_assert!(!shown.contains("777"), "{shown} for {json}");
            }
        }
    }
}
