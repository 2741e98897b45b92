//! Whatever a token is made of: what is taken is right, and nothing panics.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// JSON of any kind; a number is often near the present.
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

/// Claims with any of these, or without.
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

/// A header with any of these, or without.
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
    fn claims_of_any_kind_are_taken_only_while_they_hold(claims in any_claims(), leeway in 0..4u64) {
        let jwt = hs256().leeway(Duration::from_secs(leeway));
        // A token without the two is taken by one, a token with them by the other.
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
    fn an_audience_and_an_issuer_of_any_kind_are_those_asked_for(claims in any_claims()) {
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
    fn no_header_makes_a_wrong_signature_right(header in any_header(), claims in any_claims()) {
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
        // Rightly signed, it is taken or refused.
        let _ = hs256().verify(&written(&header, &claims, &SECRET));
    }

    #[test]
    fn garbage_is_refused_and_never_panics(text in any::<String>(), parts in "[A-Za-z0-9_.-]{0,200}") {
        refused(&hs256(), &text);
        refused(&hs256(), &parts);
        let keys = Jwt::<Claims>::keys().add("a", Key::es256_pem(EC_PUBLIC).unwrap()).build().unwrap();
        refused(&keys, &parts);
    }

    #[test]
    fn json_of_any_kind_in_the_right_places_never_panics(
        header in "\\{\"alg\":\"(HS256|RS256|none)\"(,\"kid\":\"[a-z]{0,4}\")?\\}",
        payload in any::<String>(),
        exp in any::<f64>(),
    ) {
        let header: Value = serde_json::from_str(&header).unwrap();
        let forged = format!("{}.{}.{}", base64(&header), base64(json!(payload)), base64(json!(1)));
        refused(&hs256(), &forged);
        let _ = hs256().verify(&token(&claims_with("exp", exp)));
    }

    #[test]
    fn a_token_that_was_cut_or_changed_is_refused(at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
        let whole = token(&claims());
        let at = at.index(whole.len());
        refused(&hs256(), &whole[..at]);
        let mut changed = whole.clone();
        changed.replace_range(at..=at, &with);
        if changed != whole {
            refused(&hs256(), &changed);
        }
    }
}
