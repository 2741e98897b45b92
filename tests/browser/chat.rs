//! The page of `example-chat`.

use harpia_tests::Program;

use crate::driver::Driver;
use crate::{NARROW, WIDE};

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn two_pages_exchange_messages_and_reconnect_after_a_restart() {
    let driver = Driver::start();
    let chat = Program::start("example-chat");
    let (ada, grace) = (driver.open(WIDE).await, driver.open(NARROW).await);
    ada.goto(&chat.url()).await;
    ada.picture("entrance").await;
    ada.enter("Ada", "garden").await;
    grace.goto(&chat.url()).await;
    grace.enter("Grace", "garden").await;
    for page in [&ada, &grace] {
        page.shows("#people", "Grace").await;
        page.shows("#people", "Ada").await;
    }
    ada.shows("#messages", "Grace joined").await;

    ada.say("Has the new fountain arrived?").await;
    grace
        .shows("#messages", "Has the new fountain arrived?")
        .await;
    grace.say("It has, and it <b>works</b> & sings.").await;
    ada.shows("#messages", "It has, and it <b>works</b> & sings.")
        .await;
    ada.say("I will be there in ten minutes 🌿").await;
    grace.shows("#messages", "ten minutes 🌿").await;
    ada.picture("wide").await;
    grace.picture("narrow").await;

    let port = chat.port();
    chat.stop("TERM");
    for page in [&ada, &grace] {
        page.shows("#state", "trying again").await;
    }
    ada.picture("reconnecting").await;

    let chat = Program::start_at("example-chat", port);
    for page in [&ada, &grace] {
        page.shows("#state", "connected").await;
        page.shows("#people", "Grace").await;
        page.shows("#people", "Ada").await;
    }
    grace.say("There we are again").await;
    ada.shows("#messages", "There we are again").await;
    ada.say("As if nothing had happened").await;
    grace.shows("#messages", "As if nothing had happened").await;

    grace.close().await;
    ada.shows("#messages", "Grace left").await;
    ada.close().await;
    chat.stop("TERM");
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_page_sees_nothing_of_a_person_in_another_room() {
    let driver = Driver::start();
    let chat = Program::start("example-chat");
    let (ada, grace) = (driver.open(WIDE).await, driver.open(WIDE).await);
    ada.goto(&chat.url()).await;
    ada.enter("Ada", "kitchen").await;
    grace.goto(&chat.url()).await;
    grace.enter("Grace", "räume / & more").await;
    grace.shows("#title", "räume / & more").await;
    ada.say("only for the kitchen").await;
    grace.close().await;
    let another = driver.open(WIDE).await;
    another.goto(&chat.url()).await;
    another.enter("Alan", "kitchen").await;
    ada.shows("#messages", "Alan joined").await;
    let text = ada.text_of("#messages").await;
    assert!(!text.contains("Grace"), "{text}");
    another.close().await;
    ada.close().await;
}
