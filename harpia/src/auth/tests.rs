//! What is refused, and that no refusal says more than it may.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Claims {
    sub: String,
}

const SECRET: [u8; 64] = [7; 64];
const RSA: &str = include_str!("test_keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("test_keys/rsa.pub.pem");
const EC: &str = include_str!("test_keys/ec.pem");
const EC_PUBLIC: &str = include_str!("test_keys/ec.pub.pem");
const ED: &str = include_str!("test_keys/ed.pem");
const ED_PUBLIC: &str = include_str!("test_keys/ed.pub.pem");

fn now() -> u64 {
    get_current_timestamp()
}

fn claims() -> Value {
    json!({ "sub": "ada", "exp": now() + 60 })
}

fn claims_with(name: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims();
    claims[name] = value.into();
    claims
}

fn hs256() -> Jwt<Claims> {
    Jwt::hs256(SECRET).unwrap()
}

fn sign(header: &Header, claims: &Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

fn token(claims: &Value) -> String {
    sign(&Header::default(), claims)
}

/// The text that a log gets; it and all else that can be printed holds nothing of the token.
fn refused<C: DeserializeOwned>(jwt: &Jwt<C>, token: &str) -> String {
    let error = jwt.verify(token).err().unwrap();
    assert_eq!(error.to_string(), "invalid token");
    let reason = error.source().unwrap().to_string();
    let printed = format!("{error:?} {reason}");
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!printed.contains(part), "{printed}");
    }
    reason
}

#[test]
fn each_algorithm_verifies_what_its_key_signed_and_nothing_else_does() {
    let secret = || EncodingKey::from_secret(&SECRET);
    let rsa = || EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
    let ec = || EncodingKey::from_ec_pem(EC.as_bytes()).unwrap();
    let ed = || EncodingKey::from_ed_pem(ED.as_bytes()).unwrap();
    let all: [(Jwt<Claims>, Algorithm, EncodingKey); 6] = [
        (hs256(), Algorithm::HS256, secret()),
        (Jwt::hs384(SECRET).unwrap(), Algorithm::HS384, secret()),
        (Jwt::hs512(SECRET).unwrap(), Algorithm::HS512, secret()),
        (Jwt::rs256_pem(RSA_PUBLIC).unwrap(), Algorithm::RS256, rsa()),
        (Jwt::es256_pem(EC_PUBLIC).unwrap(), Algorithm::ES256, ec()),
        (Jwt::eddsa_pem(ED_PUBLIC).unwrap(), Algorithm::EdDSA, ed()),
    ];
    for (jwt, algorithm, _) in &all {
        for (_, other, key) in &all {
            let token = encode(&Header::new(*other), &claims(), key).unwrap();
            if algorithm == other {
                assert_eq!(jwt.verify(&token).unwrap().sub, "ada", "{algorithm:?}");
            } else {
                let reason = refused(jwt, &token);
                assert_eq!(reason, "signed by another algorithm than the key's");
            }
        }
    }
}

#[test]
fn the_algorithm_none_is_refused() {
    let [_, payload, signature] = parts(&token(&claims()));
    for alg in ["none", "None", "NONE", ""] {
        let header = base64(&json!({ "alg": alg, "typ": "JWT" }));
        for signature in ["", &signature] {
            let reason = refused(&hs256(), &format!("{header}.{payload}.{signature}"));
            assert_eq!(reason, "unreadable header or unknown algorithm");
        }
    }
}

#[test]
fn a_public_key_used_as_an_hmac_secret_is_refused() {
    for public in [RSA_PUBLIC, RSA_PUBLIC.trim()] {
        let forged = EncodingKey::from_secret(public.as_bytes());
        let forged = encode(&Header::default(), &claims(), &forged).unwrap();
        let jwt = Jwt::<Claims>::rs256_pem(RSA_PUBLIC).unwrap();
        let reason = refused(&jwt, &forged);
        assert_eq!(reason, "signed by another algorithm than the key's");
        // Nor can a server take one for a secret by mistake.
        let error = Jwt::<Claims>::hs256(public).unwrap_err();
        assert_eq!(error.to_string(), "an HS256 secret is not a key in PEM");
    }
}

#[test]
fn a_token_says_when_it_holds() {
    let no_exp = "claim `exp` is missing or unreadable";
    let no_nbf = "claim `nbf` is missing or unreadable";
    for (claims, reason) in [
        (claims_with("exp", now() - 1), "expired"),
        (claims_with("exp", now()), "expired"),
        (claims_with("exp", Value::Null), no_exp),
        (claims_with("exp", "soon"), no_exp),
        (claims_with("exp", -5), no_exp),
        (json!({ "sub": "ada" }), no_exp),
        (claims_with("nbf", now() + 60), "not valid yet"),
        (claims_with("nbf", "soon"), no_nbf),
    ] {
        assert_eq!(refused(&hs256(), &token(&claims)), reason, "{claims}");
    }
    assert!(hs256().verify(&token(&claims_with("nbf", now()))).is_ok());
    let forever = claims_with("exp", u64::MAX);
    assert!(hs256().verify(&token(&forever)).is_ok());
}

#[test]
fn leeway_is_for_both_ends_and_bounded() {
    let jwt = hs256().leeway(Duration::from_secs(30));
    let read = jwt.read(&token(&claims_with("exp", now() - 10))).unwrap();
    assert!(read.expiry > now(), "else it would close at once");
    assert!(jwt.verify(&token(&claims_with("nbf", now() + 10))).is_ok());
    assert_eq!(
        refused(&jwt, &token(&claims_with("exp", now() - 40))),
        "expired"
    );
    let jwt = hs256().leeway(Duration::MAX);
    assert_eq!(
        refused(&jwt, &token(&claims_with("exp", now() - 3700))),
        "expired"
    );
}

#[test]
fn audience_and_issuer_are_those_asked_for() {
    let no_aud = "claim `aud` is missing or unreadable";
    let no_iss = "claim `iss` is missing or unreadable";
    let jwt = hs256().audience("feed").audience("chat").issuer("login");
    let both = |aud: Value, iss: Value| {
        token(&json!({ "sub": "ada", "exp": now() + 60, "aud": aud, "iss": iss }))
    };
    assert!(jwt.verify(&both(json!("feed"), json!("login"))).is_ok());
    assert!(
        jwt.verify(&both(json!(["x", "chat"]), json!("login")))
            .is_ok()
    );
    for (aud, iss, reason) in [
        (json!("shop"), json!("login"), "for another audience"),
        (json!("feed"), json!("evil"), "from another issuer"),
        (json!(7), json!("login"), no_aud),
        (json!("feed"), json!(null), no_iss),
    ] {
        assert_eq!(refused(&jwt, &both(aud, iss)), reason);
    }
    let unasked = refused(&hs256(), &token(&claims_with("aud", "feed")));
    assert_eq!(unasked, "for another audience");
}

#[test]
fn a_key_is_found_by_its_kid_alone() {
    let jwt = Jwt::<Claims>::keys()
        .add("old", Key::hs256([1; 32]).unwrap())
        .add("new", Key::hs256(SECRET).unwrap())
        .build()
        .unwrap();
    let named = |kid: Option<&str>| {
        let kid = kid.map(Into::into);
        let header = Header {
            kid,
            ..Header::default()
        };
        sign(&header, &claims())
    };
    assert!(jwt.verify(&named(Some("new"))).is_ok());
    assert_eq!(refused(&jwt, &named(Some("old"))), "wrong signature");
    for kid in [None, Some("newer"), Some("")] {
        assert_eq!(refused(&jwt, &named(kid)), "no key has the token's `kid`");
    }
    // One key needs no name.
    assert!(hs256().verify(&named(Some("any"))).is_ok());
}

#[test]
fn a_header_that_demands_an_extension_is_refused() {
    let header = Header {
        crit: Some(vec!["b64".into()]),
        ..Header::default()
    };
    assert_eq!(
        refused(&hs256(), &sign(&header, &claims())),
        "a header demands an extension (`crit`) that is not known"
    );
}

#[test]
fn a_token_longer_than_8_kib_is_refused_before_any_work() {
    let long = token(&claims_with("pad", "x".repeat(8192)));
    assert_eq!(refused(&hs256(), &long), "longer than 8 KiB");
    let fits = token(&claims_with("pad", "x".repeat(5000)));
    assert!(hs256().verify(&fits).is_ok());
}

#[test]
fn claims_that_do_not_fit_are_named_and_not_quoted() {
    let jwt = Jwt::<HashMap<String, u64>>::hs256(SECRET).unwrap();
    assert_eq!(
        refused(
            &jwt,
            &token(&json!({ "pin": "hunter2", "exp": now() + 60 }))
        ),
        "the claims do not fit their type: invalid type: string, expected u64 at `pin`"
    );
    assert_eq!(
        refused(&hs256(), &token(&json!({ "exp": now() + 60 }))),
        "the claims do not fit their type: missing field `sub`"
    );
    assert_eq!(
        refused(&hs256(), &token(&json!([1]))),
        "not a JSON Web Token"
    );
}

/// The three parts of a token.
fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

/// A part as tokens have it, cut out of one that another key signed.
fn base64(part: &Value) -> String {
    let [_, part, _] = parts(&token(part));
    part
}

proptest! {
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
        let forged = format!("{}.{}.{}", base64(&header), base64(&json!(payload)), base64(&json!(1)));
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
