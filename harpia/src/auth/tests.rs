//! Tests: which tokens are rejected, and that no error quotes a token.
//!
//! This file tests signatures, keys and headers.

mod claims;
mod properties;

use std::error::Error as _;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
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

/// Returns the reason for the log, and checks that no error quotes a part of the token.
fn rejected<C: DeserializeOwned>(jwt: &Jwt<C>, token: &str) -> String {
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
fn a_key_verifies_only_tokens_of_its_own_algorithm() {
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
                let reason = rejected(jwt, &token);
                assert_eq!(reason, "signed by another algorithm than the key's");
            }
        }
    }
}

#[test]
fn the_algorithm_none_is_rejected() {
    let [_, payload, signature] = parts(&token(&claims()));
    for alg in ["none", "None", "NONE", ""] {
        let header = base64(json!({ "alg": alg, "typ": "JWT" }));
        for signature in ["", &signature] {
            let reason = rejected(&hs256(), &format!("{header}.{payload}.{signature}"));
            assert_eq!(reason, "unreadable header or unknown algorithm");
        }
    }
}

#[test]
fn a_public_key_used_as_an_hmac_secret_is_rejected() {
    for public in [RSA_PUBLIC, RSA_PUBLIC.trim()] {
        let forged = EncodingKey::from_secret(public.as_bytes());
        let forged = encode(&Header::default(), &claims(), &forged).unwrap();
        let jwt = Jwt::<Claims>::rs256_pem(RSA_PUBLIC).unwrap();
        let reason = rejected(&jwt, &forged);
        assert_eq!(reason, "signed by another algorithm than the key's");
        // A server cannot use a public key as a secret by mistake either.
        let error = Jwt::<Claims>::hs256(public).unwrap_err();
        assert_eq!(error.to_string(), "an HS256 secret is not a key in PEM");
    }
}

#[test]
fn a_key_inside_the_token_is_not_used() {
    let claims = claims().to_string();
    let own_key = "A".repeat(43);
    for header in [
        json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": own_key } }),
        json!({ "alg": "HS256", "jku": "https://evil.test/keys" }),
        json!({ "alg": "HS256", "x5u": "https://evil.test/chain" }),
        json!({ "alg": "HS256", "x5c": [own_key] }),
        json!({ "alg": "HS256", "kid": "../../dev/null" }),
    ] {
        let forged = written(&header.to_string(), &claims, &[0; 32]);
        assert_eq!(rejected(&hs256(), &forged), "wrong signature", "{header}");
        // A token that the right key has signed is accepted all the same.
        let good = written(&header.to_string(), &claims, &SECRET);
        assert!(hs256().verify(&good).is_ok(), "{header}");
    }
}

#[test]
fn a_malformed_header_is_rejected_even_if_its_signature_is_valid() {
    for header in [
        json!({ "alg": "HS256", "crit": [] }),
        json!({ "alg": "HS256", "crit": "exp" }),
        json!({ "alg": "HS256", "kid": 7 }),
        json!({ "alg": ["HS256"] }),
        json!({ "alg": "hs256" }),
        json!({ "alg": null }),
        json!({ "typ": "JWT" }),
        json!(["HS256"]),
    ] {
        let signed = written(&header.to_string(), &claims().to_string(), &SECRET);
        rejected(&hs256(), &signed);
    }
}

#[test]
fn a_key_is_found_only_by_its_kid() {
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
    assert_eq!(rejected(&jwt, &named(Some("old"))), "wrong signature");
    for kid in [None, Some("newer"), Some("")] {
        assert_eq!(rejected(&jwt, &named(kid)), "no key has the token's `kid`");
    }
    // A single key needs no name.
    assert!(hs256().verify(&named(Some("any"))).is_ok());
}

#[test]
fn a_token_is_verified_only_by_the_key_that_its_kid_names() {
    let rsa = EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
    let ec = EncodingKey::from_ec_pem(EC.as_bytes()).unwrap();
    let ed = EncodingKey::from_ed_pem(ED.as_bytes()).unwrap();
    let signers = [
        ("hmac", Algorithm::HS256, EncodingKey::from_secret(&SECRET)),
        ("rsa", Algorithm::RS256, rsa),
        ("ec", Algorithm::ES256, ec),
        ("ed", Algorithm::EdDSA, ed),
    ];
    let jwt = Jwt::<Claims>::keys()
        .add("hmac", Key::hs256(SECRET).unwrap())
        .add("rsa", Key::rs256_pem(RSA_PUBLIC).unwrap())
        .add("ec", Key::es256_pem(EC_PUBLIC).unwrap())
        .add("ed", Key::eddsa_pem(ED_PUBLIC).unwrap())
        .build()
        .unwrap();
    for (name, algorithm, key) in &signers {
        for kid in ["hmac", "rsa", "ec", "ed", "other"] {
            let mut header = Header::new(*algorithm);
            header.kid = Some(kid.to_owned());
            let token = encode(&header, &claims(), key).unwrap();
            assert_eq!(jwt.verify(&token).is_ok(), kid == *name, "{name} as {kid}");
        }
    }
}

#[test]
fn a_header_with_a_critical_extension_is_rejected() {
    let header = Header {
        crit: Some(vec!["b64".into()]),
        ..Header::default()
    };
    assert_eq!(
        rejected(&hs256(), &sign(&header, &claims())),
        "a header demands an extension (`crit`) that is not known"
    );
}

#[test]
fn a_token_of_more_than_8_kib_is_rejected_before_it_is_decoded() {
    let long = token(&claims_with("pad", "x".repeat(8192)));
    assert_eq!(rejected(&hs256(), &long), "longer than 8 KiB");
    let fits = token(&claims_with("pad", "x".repeat(5000)));
    assert!(hs256().verify(&fits).is_ok());
}

/// Splits a token into its three parts.
fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

/// Encodes a part of a token: base64url without padding.
fn base64(part: impl ToString) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for bytes in part.to_string().as_bytes().chunks(3) {
        let bits = bytes
            .iter()
            .fold(0, |bits, &byte| bits << 8 | usize::from(byte));
        let bits = bits << (8 * (3 - bytes.len()));
        for digit in 0..=bytes.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
    }
    text
}

/// Signs a token with an arbitrary header and arbitrary claims, as text.
fn written(header: &str, claims: &str, secret: &[u8]) -> String {
    let body = [base64(header), base64(claims)].join(".");
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(body.as_bytes(), &key, Algorithm::HS256).unwrap();
    [body, signature].join(".")
}
