//! The page of `example-profile`, and how Chromium treats its cookie.

use harpia_tests::Program;
use serde_json::{Value, json};

use crate::driver::{Driver, Page};
use crate::{NARROW, WIDE};

/// Returns the URL with the host `localhost`, for which browsers keep `Secure` cookies over HTTP.
fn local(program: &Program) -> String {
    format!("http://localhost:{}/", program.port())
}

async fn log_in(page: &Page, password: &str) {
    page.shows("#login h1", "Log in").await;
    page.fill("#email", "john@example.com").await;
    page.fill("#password", password).await;
    page.press("#login button").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn every_window_receives_profile_updates_until_the_user_logs_out() {
    let driver = Driver::start();
    let program = Program::start("example-profile");
    let page = driver.open(WIDE).await;
    page.goto(&local(&program)).await;
    page.picture("profile-login").await;
    log_in(&page, "wrong").await;
    page.shows("#wrong", "Email or password is wrong").await;
    page.picture("profile-wrong").await;
    log_in(&page, "correct horse").await;
    page.shows("#welcome", "Welcome back, John Doe!").await;
    page.shows("#state", "connected").await;

    let first = page.second_window().await;
    page.goto(&local(&program)).await;
    page.shows("#welcome", "Welcome back, John Doe!").await;
    page.fill("#name", "Johnny <b>").await;
    page.press("#rename button").await;
    page.shows("#updates", "You are Johnny <b> now").await;
    page.picture("profile").await;
    page.switch_to(first).await;
    page.shows("#updates", "You are Johnny <b> now").await;
    page.shows("#user", "Johnny <b>").await;

    let second = page.second_window().await;
    page.goto(&local(&program)).await;
    page.shows("#welcome", "Welcome back, Johnny <b>!").await;
    page.press("#logout").await;
    page.shows("#login h1", "Log in").await;
    page.switch_to(second).await;
    page.shows("#login h1", "Log in").await;
    page.close().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_page_fits_a_phone_screen() {
    let driver = Driver::start();
    let program = Program::start("example-profile");
    let page = driver.open(NARROW).await;
    page.goto(&local(&program)).await;
    log_in(&page, "correct horse").await;
    page.shows("#welcome", "Welcome back, John Doe!").await;
    page.picture("profile-narrow").await;
    let width = "return document.documentElement.scrollWidth <= innerWidth;";
    assert_eq!(page.run(width, Value::Null).await, json!(true));
    page.close().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn scripts_cannot_read_the_cookie_and_each_login_changes_it() {
    let driver = Driver::start();
    let program = Program::start("example-profile");
    let page = driver.open(WIDE).await;
    page.goto(&local(&program)).await;
    log_in(&page, "correct horse").await;
    page.shows("#welcome", "Welcome back, John Doe!").await;
    let cookie = page.cookie("session_id").await.expect("a cookie");
    assert_eq!(cookie.http_only(), Some(true));
    assert_eq!(cookie.secure(), Some(true));
    let same_site = cookie.same_site().map(|value| value.to_string());
    assert_eq!(same_site.as_deref(), Some("Lax"));
    let seen = page.run("return document.cookie;", Value::Null).await;
    assert_eq!(seen, json!(""));
    // A script cannot overwrite the cookie that it cannot read.
    let plant = "document.cookie = 'session_id=planted; path=/'; return document.cookie;";
    assert_eq!(page.run(plant, Value::Null).await, json!(""));

    page.press("#logout").await;
    page.shows("#login h1", "Log in").await;
    assert!(page.cookie("session_id").await.is_none());
    log_in(&page, "correct horse").await;
    page.shows("#welcome", "Welcome back, John Doe!").await;
    let next = page.cookie("session_id").await.expect("a new cookie");
    assert_ne!(next.value(), cookie.value());
    page.close().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_secure_cookie_is_kept_on_localhost_but_never_sent_in_plain_text() {
    let driver = Driver::start();
    let program = Program::start("example-profile");
    let page = driver.open(WIDE).await;
    let log_in = "const body = new URLSearchParams(given); \
                  await fetch('/login', { method: 'POST', body }); \
                  return (await fetch('/profile')).status;";
    let john = json!({ "email": "john@example.com", "password": "correct horse" });
    page.goto(&local(&program)).await;
    assert_eq!(page.run(log_in, john.clone()).await, json!(200));
    // Plain HTTP, and for the browser another machine than its own.
    page.goto(&format!("http://profile.test:{}/", program.port()))
        .await;
    assert_eq!(page.run(log_in, john).await, json!(401));
    assert!(page.cookie("session_id").await.is_none());
    page.close().await;
}
