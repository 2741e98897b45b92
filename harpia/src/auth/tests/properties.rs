//! Property tests: arbitrary tokens are accepted only if they are valid, and nothing panics.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Makes arbitrary JSON. Its numbers are often near the current time.
fn any_json() -> impl Strategy<Value = Value> {
    let near = (-3i64..=3).prop_map(|by| json!(now().saturating_add_signed(by)));
    let between = (-3f64..3.0).prop_map(|by| json!(now() as f64 + by));
    let leaf = prop_oneof![
        4 => near,
        4 => between,
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => prop::sample::select(vec!["feed", "login", "9999999999", ""]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.prop_map(|inner| json!({ "exp": inner })),
        ]
    })
}

/// Makes claims, each of which may be missing or arbitrary.
fn any_claims() -> impl Strategy<Value = Value> {
    let claim = |right: Value| {
        let value = prop_oneof![
            any_json(),
            Just(right.clone()),
            Just(json!([right, "shop"]))
        ];
        proptest::option::of(value)
    };
    let exp = prop_oneof![any_json(), Just(json!(now() + 60))];
    let others = (
        claim(json!(now())),
        claim(json!("feed")),
        claim(json!("login")),
    );
    (exp, others).prop_map(|(exp, (nbf, aud, iss))| {
        let mut claims = json!({ "sub": "ada", "exp": exp });
        for (name, value) in [("nbf", nbf), ("aud", aud), ("iss", iss)] {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        claims
    })
}

/// Makes a header with arbitrary fields.
fn any_header() -> impl Strategy<Value = Value> {
    let text = ["HS256", "none", "RS256", "a", "b", "https://evil.test/keys"];
    let text = prop::sample::select(text.to_vec()).prop_map(Value::from);
    let key = Just(json!({ "kty": "oct", "k": base64("0".repeat(32)) }));
    let value = prop_oneof![3 => text, 1 => key, 1 => any_json()];
    let names = [
        "alg", "kid", "jwk", "jku", "x5u", "x5c", "crit", "typ", "cty", "b64",
    ];
    let names = prop::sample::select(names.to_vec());
    let alg = Just(json!("HS256"));
    (alg, vec((names, value), 0..4)).prop_map(|(alg, more)| {
        let mut header = json!({ "alg": alg });
        for (name, value) in more {
            header[name] = value;
        }
        header
    })
}

proptest! {
    #[test]
    fn arbitrary_claims_are_accepted_only_while_they_are_valid(
        claims in any_claims(),
        leeway in 0..4u64,
    ) {
        let jwt = hs256().leeway(Duration::from_secs(leeway));
        // One verifier requires an audience and an issuer, the other does not.
        let strict = jwt.clone().audience("feed").issuer("login");
        let mut plain = claims.clone();
        plain["aud"] = Value::Null;
        let start = now();
        for (jwt, claims) in [(&jwt, &plain), (&strict, &claims)] {
            let Ok(read) = jwt.read(&token(claims)) else { continue };
            let exp = claims["exp"].as_f64().unwrap();
            let whole = claims["exp"].as_u64().unwrap_or(exp.floor() as u64);
            prop_assert_eq!(read.expiry, whole.saturating_add(leeway));
            prop_assert!(exp + leeway as f64 > start as f64, "{exp} has passed");
            let nbf = claims.get("nbf").map(|nbf| nbf.as_f64().unwrap());
            // jsonwebtoken rounds.
            let latest = (now() + leeway) as f64 + 0.5;
            prop_assert!(nbf.is_none_or(|nbf| nbf <= latest), "{nbf:?} is to come");
        }
    }

    #[test]
    fn an_arbitrary_audience_and_issuer_must_be_the_required_ones(claims in any_claims()) {
        let token = token(&claims);
        let aud = &claims["aud"];
        if hs256().verify(&token).is_ok() {
            prop_assert!(aud.is_null(), "for {aud}");
        }
        if hs256().audience("feed").verify(&token).is_ok() {
            let list = aud.as_array().cloned().unwrap_or_else(|| vec![aud.clone()]);
            prop_assert!(list.contains(&json!("feed")), "for {aud}");
        }
        if hs256().audience("feed").issuer("login").verify(&token).is_ok() {
            prop_assert_eq!(&claims["iss"], "login");
        }
    }

    #[test]
    fn no_header_makes_a_wrong_signature_valid(header in any_header(), claims in any_claims()) {
        let (header, claims) = (header.to_string(), claims.to_string());
        let keys = Jwt::<Claims>::keys()
            .add("a", Key::hs256(SECRET).unwrap())
            .add("b", Key::es256_pem(EC_PUBLIC).unwrap())
            .build()
            .unwrap();
        for secret in ["0".repeat(32), EC_PUBLIC.to_owned(), String::new()] {
            let forged = written(&header, &claims, secret.as_bytes());
            prop_assert!(hs256().verify(&forged).is_err());
            prop_assert!(keys.verify(&forged).is_err());
        }
        // With a valid signature, it is accepted or rejected, and must not panic.
        let _ = hs256().verify(&written(&header, &claims, &SECRET));
    }

    #[test]
    fn garbage_is_rejected_and_never_panics(
        text in any::<String>(),
        parts in "[A-Za-z0-9_.-]{0,200}",
    ) {
        rejected(&hs256(), &text);
        rejected(&hs256(), &parts);
        let key = Key::es256_pem(EC_PUBLIC).unwrap();
        let keys = Jwt::<Claims>::keys().add("a", key).build().unwrap();
        rejected(&keys, &parts);
    }

    #[test]
    fn arbitrary_json_in_header_and_claims_never_panics(
        header in "\\{\"alg\":\"(HS256|RS256|none)\"(,\"kid\":\"[a-z]{0,4}\")?\\}",
        payload in any::<String>(),
        exp in any::<f64>(),
    ) {
        let header: Value = serde_json::from_str(&header).unwrap();
        let forged = format!("{}.{}.{}", base64(&header), base64(json!(payload)), base64(json!(1)));
        rejected(&hs256(), &forged);
        let _ = hs256().verify(&token(&claims_with("exp", exp)));
    }

    #[test]
    fn a_truncated_or_changed_token_is_rejected(
        at in any::<prop::sample::Index>(),
        with in "[A-Za-z0-9_.-]",
    ) {
        let whole = token(&claims());
        let at = at.index(whole.len());
        rejected(&hs256(), &whole[..at]);
        let mut changed = whole.clone();
        changed.replace_range(at..=at, &with);
        if changed != whole {
            rejected(&hs256(), &changed);
        }
    }
}
