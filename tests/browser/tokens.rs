//! The page of `example-jwt`.

use harpia_tests::Program;
use serde_json::{Value, json};

use crate::driver::{Driver, Page};
use crate::{NARROW, WIDE};

const WAYS: [&str; 3] = ["by-message", "by-cookie", "by-query"];

async fn connect(page: &Page, way: &str) {
    page.press(&format!("#{way} .connect")).await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_token_connects_by_message_cookie_and_query_and_never_appears_on_the_page() {
    let driver = Driver::start();
    let program = Program::start("example-jwt");
    let page = driver.open(WIDE).await;
    page.goto(&format!("http://localhost:{}/", program.port()))
        .await;
    for way in WAYS {
        connect(&page, way).await;
        page.shows(&format!("#{way} .log"), "closed: 1008 Invalid Token")
            .await;
    }
    page.picture("tokens-refused").await;
    page.fill("#name", "Ada").await;
    page.press("#login button").await;
    page.shows("#valid", "Ada has a token").await;
    for way in WAYS {
        connect(&page, way).await;
        page.shows(&format!("#{way} .log"), "Welcome, Ada!").await;
    }
    page.fill("#by-cookie .say input", "hello from the cookie")
        .await;
    page.press("#by-cookie .say button").await;
    for way in ["by-message", "by-query"] {
        let log = format!("#{way} .log");
        page.shows(&log, "Ada: hello from the cookie").await;
    }
    page.picture("tokens").await;
    let text = page.run("return document.body.innerText;", Value::Null);
    let text = text.await.to_string();
    assert!(!text.contains("eyJ"), "a token on the page: {text}");
    let seen = page.run("return document.cookie;", Value::Null).await;
    assert_eq!(seen, json!(""));
    page.close().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_page_shows_when_its_token_has_expired() {
    let driver = Driver::start();
    let program = Program::start("example-jwt");
    let page = driver.open(NARROW).await;
    page.goto(&format!("http://localhost:{}/", program.port()))
        .await;
    page.fill("#seconds", "10").await;
    page.press("#login button").await;
    page.shows("#valid", "Ada has a token").await;
    for way in WAYS {
        connect(&page, way).await;
    }
    for way in WAYS {
        let log = format!("#{way} .log");
        page.shows(&log, "closed: 4401 Token Expired").await;
    }
    page.picture("tokens-narrow").await;
    page.close().await;
}
