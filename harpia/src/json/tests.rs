//! That errors are of use, and hold nothing that was sent.

use std::collections::HashMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[expect(dead_code, reason = "only errors are looked at")]
enum Request {
    Join,
    Token(String),
    Draw { points: Vec<Point>, color: [u8; 3] },
    Own(Own),
    Any(HashMap<String, bool>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only errors are looked at")]
struct Point {
    x: i32,
    y: Option<i32>,
}

/// Its own text quotes the value.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Own;

impl TryFrom<String> for Own {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("what is {text}?"))
    }
}

fn told(json: &str) -> String {
    let error = serde_json::from_str::<Request>(json).unwrap_err();
    JsonError::located::<Request>(&error, json.as_bytes()).to_string()
}

#[test]
fn each_mistake_is_told_with_its_place_and_without_the_value() {
    for (json, text) in [
        (
            r#"{"token":7}"#,
            "invalid type: integer, expected a string at `token`, line 1 column 10",
        ),
        (
            r#"{"draw":{"points":[{"x":1},{"x":"hunter2"}]}}"#,
            "invalid type: string, expected i32 at `draw.points[1].x`, line 1 column 41",
        ),
        (
            r#"{"draw":{"points":[{"x":77777777777}]}}"#,
            "invalid value: integer, expected i32 at `draw.points[0].x`, line 1 column 35",
        ),
        (
            r#"{"draw":{"points":[{"y":1}]}}"#,
            "missing field `x` at `draw.points[0]`, line 1 column 26",
        ),
        (
            r#"{"draw":{"points":[{"x":1,"x":2}]}}"#,
            "duplicate field `x` at `draw.points[0]`, line 1 column 29",
        ),
        (
            r#"{"draw":{"points":[{"x":1,"hunter2":2}]}}"#,
            "unknown field, expected `x` or `y` at `draw.points[0]`, line 1 column 35",
        ),
        (
            r#"{"draw":{"color":[1,2]}}"#,
            "invalid length, expected an array of length 3 at `draw.color`, line 1 column 22",
        ),
        (r#"{"own":"hunter2"}"#, "invalid value at `own`"),
        (
            r#"{"any":{"light":1}}"#,
            "invalid type: integer, expected a boolean at `any.light`, line 1 column 17",
        ),
        (
            r#"{"any":{"id of more than one word":1}}"#,
            "invalid type: integer, expected a boolean at `any.…`, line 1 column 36",
        ),
        (
            r#""hunter2""#,
            "unknown variant, expected one of `join`, `token`, `draw`, `own`, `any` \
             at line 1 column 9",
        ),
        (
            r#"{"token":"hunter2"#,
            "EOF while parsing a string at line 1 column 17",
        ),
        ("hunter2", "expected value at line 1 column 1"),
        (
            r#""join" hunter2"#,
            "trailing characters at line 1 column 8",
        ),
    ] {
        assert_eq!(told(json), text, "{json}");
    }
}

#[test]
fn what_was_no_text_has_no_lines() {
    let error = serde_path_to_error::deserialize::<_, Point>(json!({ "x": "hunter2" }));
    let error = JsonError::with_path(&error.unwrap_err());
    let text = "invalid type: string, expected i32 at `x`";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_text_of_the_types_own_that_looks_like_serdes_is_not_kept() {
    for text in [
        "unknown variant, expected a or b, found hunter2",
        "unknown field `a`, expected `b` or hunter2",
        r#"invalid value: string "a", expected a day, not hunter2"#,
        "invalid type: map, expected a string (hunter2)",
        "missing field `a`, not hunter2",
        "hunter2",
    ] {
        let kept = misfit(text);
        assert!(!kept.contains("hunter2"), "{kept}");
    }
}

/// JSON in which every text that can be told from the types' own is the secret.
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
    fn no_error_holds_what_was_sent(request in requests(), cut in any::<prop::sample::Index>()) {
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
