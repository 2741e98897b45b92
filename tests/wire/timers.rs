//! Deadlines set by hand, and the expiry of what a handler has verified.

use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{TestServer, within};

/// Sets the timers that it is told to.
struct Timed;

#[ws_route("/timed", broadcast = off)]
impl Timed {
    fn message(&self, ws: &mut Socket, message: String) {
        let now = std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |now| now.as_secs());
        match &*message {
            "deadline" => ws.deadline(Duration::from_millis(300), 4000, "Too Late"),
            "clear" => ws.clear_deadline(),
            "expired" => ws.expire_at(now - 10),
            // Not within this second, whose rest may be too short for what follows.
            "expire" => ws.expire_at(now + 2),
            "extend" => ws.expire_at(now + 1000),
            _ => {}
        }
        ws.send("done");
    }
}

#[tokio::test]
async fn a_deadline_closes_with_its_code_and_reason() {
    let server = TestServer::start(App::new().ws(Timed)).await;
    let mut client = server.connect("/timed").await;
    client.send("deadline").await;
    assert_eq!(client.text().await, "done");
    assert_eq!(client.closed().await, (4000, "Too Late".into()));
}

#[tokio::test]
async fn a_cleared_deadline_does_not_close_the_connection() {
    let server = TestServer::start(App::new().ws(Timed)).await;
    let mut client = server.connect("/timed").await;
    let mut other = server.connect("/timed").await;
    for text in ["deadline", "clear"] {
        client.send(text).await;
        assert_eq!(client.text().await, "done");
    }
    // By the time that a later one has closed another, this one would have been closed.
    other.send("deadline").await;
    assert_eq!(other.text().await, "done");
    assert_eq!(other.closed().await.0, 4000);
    client.send("still here?").await;
    assert_eq!(client.text().await, "done");
}

#[tokio::test]
async fn expire_at_closes_with_4401_and_a_later_call_extends_it() {
    let server = TestServer::start(App::new().ws(Timed)).await;
    let mut gone = server.connect("/timed").await;
    gone.send("expired").await;
    assert_eq!(gone.closed().await, (4401, "Token expired".into()));
    let mut stays = server.connect("/timed").await;
    let mut goes = server.connect("/timed").await;
    for text in ["expire", "extend"] {
        stays.send(text).await;
        assert_eq!(stays.text().await, "done");
    }
    goes.send("expire").await;
    assert_eq!(goes.text().await, "done");
    assert_eq!(goes.closed().await, (4401, "Token expired".into()));
    stays.send("still here?").await;
    assert_eq!(within(stays.text()).await, "done");
}
