//! Tests of claims: validity in time, audience, issuer, and the type of the claims.

use std::collections::HashMap;
use std::time::Duration;

use super::*;

#[test]
fn a_token_is_valid_only_between_nbf_and_exp() {
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
        assert_eq!(rejected(&hs256(), &token(&claims)), reason, "{claims}");
    }
    assert!(hs256().verify(&token(&claims_with("nbf", now()))).is_ok());
    let endless = claims_with("exp", u64::MAX);
    assert!(hs256().verify(&token(&endless)).is_ok());
}

#[test]
fn an_exp_that_is_not_a_plausible_time_is_rejected() {
    // As text, since serde_json's values cannot hold all of them.
    for exp in [
        "0",
        "-0",
        "-1",
        "-1e300",
        "1e-300",
        "0.4",
        "1e30",
        "1e400",
        "18446744073709551616",
        "NaN",
        "Infinity",
        "true",
        "[9999999999]",
        "{\"exp\":9999999999}",
        "\"9999999999\"",
        "9999999999,\"exp\":1",
        "1,\"exp\":9999999999",
    ] {
        let claims = format!(r#"{{"sub":"ada","exp":{exp}}}"#);
        rejected(&hs256(), &written(r#"{"alg":"HS256"}"#, &claims, &SECRET));
    }
}

#[test]
fn leeway_applies_to_nbf_and_exp_and_is_bounded() {
    let jwt = hs256().leeway(Duration::from_secs(30));
    let read = jwt.read(&token(&claims_with("exp", now() - 10))).unwrap();
    assert!(read.expiry > now(), "the connection would close at once");
    assert!(jwt.verify(&token(&claims_with("nbf", now() + 10))).is_ok());
    assert_eq!(
        rejected(&jwt, &token(&claims_with("exp", now() - 40))),
        "expired"
    );
    let jwt = hs256().leeway(Duration::MAX);
    assert_eq!(
        rejected(&jwt, &token(&claims_with("exp", now() - 3700))),
        "expired"
    );
}

#[test]
fn the_audience_and_the_issuer_must_be_the_required_ones() {
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
        (json!(["feed", 7]), json!("login"), no_aud),
        (json!({ "feed": 1 }), json!("login"), no_aud),
        (json!([]), json!("login"), "for another audience"),
        (json!("feed"), json!(null), no_iss),
        (json!("feed"), json!(7), no_iss),
        (json!("feed"), json!(["login"]), no_iss),
        (json!("feed"), json!({ "login": 1 }), no_iss),
    ] {
        assert_eq!(rejected(&jwt, &both(aud, iss)), reason);
    }
}

#[test]
fn a_token_with_an_audience_is_rejected_if_none_is_required() {
    for aud in [
        json!("feed"),
        json!(["feed"]),
        json!([]),
        json!(["feed", 7]),
        json!(7),
        json!(false),
        json!({ "feed": 1 }),
    ] {
        let reason = rejected(&hs256(), &token(&claims_with("aud", aud)));
        assert_eq!(reason, "for another audience");
    }
    let no_audience = token(&claims_with("aud", Value::Null));
    assert!(hs256().verify(&no_audience).is_ok());
}

#[test]
fn claims_of_another_type_are_named_and_not_quoted() {
    let jwt = Jwt::<HashMap<String, u64>>::hs256(SECRET).unwrap();
    assert_eq!(
        rejected(
            &jwt,
            &token(&json!({ "pin": "hunter2", "exp": now() + 60 }))
        ),
        "the claims do not fit their type: invalid data at `pin`"
    );
    assert_eq!(
        rejected(&hs256(), &token(&json!({ "exp": now() + 60 }))),
        "the claims do not fit their type: missing field `sub`"
    );
    assert_eq!(
        rejected(&hs256(), &token(&json!([1]))),
        "not a JSON Web Token"
    );
}
