//! Secrets in logs: the examples run with all logging enabled, including that of harpia and its
//! dependencies. The output must not contain any token, cookie, session ID or password.

use harpia_tests::{Client, Program};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Returns the cookie that a response sets, as `name=value`.
fn cookie_of(answer: &str) -> String {
    let mut lines = answer.lines();
    let line = lines.find_map(|line| line.strip_prefix("set-cookie: "));
    let pair = line.and_then(|line| line.split(';').next());
    pair.unwrap_or_else(|| panic!("no cookie in {answer}"))
        .to_owned()
}

fn value(cookie: &str) -> String {
    let (_, value) = cookie.split_once('=').expect("a cookie");
    value.to_owned()
}

/// Checks that the output contains no secret and no part of a token: header, claims, signature.
fn assert_no_secrets(written: &str, secrets: &[String]) {
    // These lines show that logging was enabled; otherwise the search proves nothing.
    for logged in ["TRACE axum::rejection", ": harpia::route: "] {
        assert!(written.contains(logged), "{logged} is missing: {written}");
    }
    for secret in secrets {
        for part in secret.split('.') {
            // The header of every HS256 token. It names only the algorithm.
            let is_public = part == "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
            let is_hidden = is_public || !written.contains(part);
            assert!(is_hidden, "{part} is in the log: {written}");
        }
    }
}

#[tokio::test]
async fn the_profile_example_logs_no_password_and_no_session_id() {
    let program = Program::start_traced("example-profile");
    let address = program.address();
    let wrong = "email=john%40example.com&password=guessed+horse";
    let right = "email=john%40example.com&password=correct+horse";
    let refused = program.post("/login", &[FORM], wrong).await;
    assert!(refused.contains(" 403 "), "{refused}");
    let odd = "password=forgotten+mail&password=given+twice";
    let refused = program.post("/login", &[FORM], odd).await;
    assert!(refused.contains(" 422 "), "{refused}");
    let first = cookie_of(&program.post("/login", &[FORM], right).await);
    let second = cookie_of(
        &program
            .post("/login", &[FORM, ("cookie", &first)], right)
            .await,
    );
    assert_ne!(first, second);
    let odd = program
        .post(
            "/profile",
            &[JSON, ("cookie", &second)],
            r#"{"name": "forgotten"}"#,
        )
        .await;
    assert!(odd.contains(" 422 "), "{odd}");

    let headers = [("cookie", &*second)];
    let mut client = Client::connect(address, "/profile-updates", &headers).await;
    assert_eq!(client.text().await, "Welcome back, John Doe!");
    let renamed = program
        .post("/profile", &[JSON, ("cookie", &second)], "\"Johnny\"")
        .await;
    assert!(renamed.contains(" 204 "), "{renamed}");
    assert_eq!(client.text().await, "You are Johnny now");
    let unknown = "session_id=00112233445566778899aabbccddeeff";
    for gone in [&*first, unknown, "session_id=forged-by-hand"] {
        let headers = [("cookie", gone)];
        let mut client = Client::connect(address, "/profile-updates", &headers).await;
        assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
    }
    program
        .post("/logout", &[FORM, ("cookie", &second)], "")
        .await;
    assert_eq!(client.closed().await, (1008, "Logged Out".into()));

    let passwords = [
        "forgotten",
        "twice",
        "guessed horse",
        "guessed+horse",
        "correct horse",
        "correct+horse",
    ];
    let mut secrets: Vec<String> = passwords.map(str::to_owned).into();
    secrets.extend([&*first, &*second, unknown].map(value));
    secrets.push("forged-by-hand".to_owned());
    assert_no_secrets(&program.stop_and_read(), &secrets);
}

#[tokio::test]
async fn the_jwt_example_logs_no_token() {
    let program = Program::start_traced("example-jwt");
    let address = program.address();
    let mut secrets = Vec::new();
    let odd = program.post("/token", &[JSON], "\"Ada\"").await;
    assert!(odd.contains(" 422 "), "{odd}");
    // The first token is valid at the handshake and expires later. A fresh token follows.
    for seconds in [10, 60] {
        let login = format!(r#"{{"name":"Ada","seconds":{seconds}}}"#);
        let answer = program.post("/token", &[JSON], &login).await;
        let token = value(&cookie_of(&answer));
        let forged = format!("{}AAAA", &token[..token.len() - 4]);
        for (token, is_good) in [(&token, true), (&forged, false)] {
            let cookie = format!("token={token}");
            let query = format!("/by-query?token={token}");
            let mut clients = [
                Client::connect(address, "/by-message", &[]).await,
                Client::connect(address, "/by-cookie", &[("cookie", &cookie)]).await,
                Client::connect(address, &query, &[]).await,
            ];
            clients[0].send(token).await;
            for client in &mut clients {
                if is_good {
                    assert_eq!(client.text().await, "Welcome, Ada!");
                } else {
                    assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
                }
            }
            if is_good && seconds == 10 {
                for client in &mut clients {
                    assert_eq!(client.closed().await, (4401, "Token Expired".into()));
                }
            }
        }
        secrets.extend([token, forged]);
    }
    assert_no_secrets(&program.stop_and_read(), &secrets);
}
