//! Topics: rooms that connections enter and leave, and messages for those inside.

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Events, TestServer};

/// `+x`, `-x`: enters and leaves the topic `x`; `x:text`: publishes.
struct Topics;

#[ws_route("/topics", broadcast = off, rate = off)]
impl Topics {
    fn message(&self, ws: &mut Socket, message: String) {
        match message.split_at(1) {
            ("+", topic) => ws.subscribe(topic),
            ("-", topic) => ws.unsubscribe(topic),
            _ => {
                if let Some((topic, text)) = message.split_once(':') {
                    ws.publish(topic, text);
                }
            }
        }
        ws.send(format!("did {message}"));
    }
}

/// Does one thing and waits until it is done.
macro_rules! does {
    ($client:expr, $what:literal) => {
        $client.send($what).await;
        assert_eq!($client.text().await, concat!("did ", $what));
    };
}

async fn server() -> TestServer {
    TestServer::start(App::new().ws(Topics)).await
}

#[tokio::test]
async fn a_publish_reaches_other_subscribers_and_not_its_sender() {
    let server = server().await;
    let (mut one, mut two, mut three) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    does!(one, "+a");
    does!(two, "+a");
    does!(three, "+b");
    does!(one, "a:hello");
    assert_eq!(two.text().await, "hello");
    server.hub().broadcast("next");
    assert_eq!(one.text().await, "next");
    assert_eq!(three.text().await, "next");
}

#[tokio::test]
async fn the_hub_closes_all_subscribers_of_a_topic_behind_what_was_published() {
    let server = server().await;
    let (mut one, mut two, mut other) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    does!(one, "+a");
    does!(two, "+a");
    does!(other, "+b");
    server.hub().publish("a", "last");
    server.hub().disconnect_topic("a", 4003, "over");
    server.hub().publish("a", "too late");
    for client in [&mut one, &mut two] {
        assert_eq!(client.text().await, "last");
        assert_eq!(client.closed().await, (4003, "over".into()));
    }
    does!(other, "+a");
    server.hub().disconnect_topic("nowhere", 4003, "over");
    server.hub().publish("a", "still here");
    assert_eq!(other.text().await, "still here");
}

#[tokio::test]
async fn who_subscribed_in_open_is_closed_before_it_was_active() {
    struct Slow(Events);
    #[ws_route("/slow", broadcast = off)]
    impl Slow {
        async fn open(&self, ws: &mut Socket) {
            ws.subscribe("a");
            self.0.note("subscribed");
            while ws.send("is it closed?") != SendStatus::Closed {
                tokio::task::yield_now().await;
            }
        }
        fn message(&self) {
            self.0.note("message");
        }
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Slow(events.clone()))).await;
    let mut client = server.connect_raw("/slow").await;
    client.texts(&["hello"]).await;
    assert_eq!(events.next().await, "subscribed");
    server.hub().disconnect_topic("a", 4003, "over");
    assert_eq!(client.close_code().await, 4003);
    assert_eq!(events.next().await, "4003");
}

#[tokio::test]
async fn one_may_publish_without_a_subscription() {
    let server = server().await;
    let (mut one, mut two) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    does!(two, "+a");
    does!(one, "a:from outside");
    assert_eq!(two.text().await, "from outside");
}

#[tokio::test]
async fn after_unsubscribing_nothing_comes_any_more() {
    let server = server().await;
    let (mut one, mut two) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    does!(two, "+a");
    does!(two, "+a");
    does!(two, "-a");
    does!(two, "-never");
    does!(one, "a:unheard");
    server.hub().broadcast("next");
    assert_eq!(two.text().await, "next");
}

#[tokio::test]
async fn messages_of_several_topics_come_in_one_order() {
    let server = server().await;
    let mut reader = server.connect("/topics").await;
    does!(reader, "+a");
    does!(reader, "+b");
    for number in 0..100 {
        let topic = if number % 3 == 0 { "a" } else { "b" };
        server.hub().publish(topic, number.to_string());
        if number % 10 == 0 {
            server.hub().broadcast(format!("all {number}"));
        }
    }
    for number in 0..100 {
        assert_eq!(reader.text().await, number.to_string());
        if number % 10 == 0 {
            assert_eq!(reader.text().await, format!("all {number}"));
        }
    }
}

#[tokio::test]
async fn a_topic_entered_in_open_is_heard_from_the_first_message_on() {
    struct Room;
    #[ws_route("/rooms/{room}", broadcast = off)]
    impl Room {
        fn open(&self, ws: &mut Socket, room: String) {
            ws.publish(&*room, "someone came");
            ws.subscribe(room);
            ws.send("welcome");
        }
        fn message(&self, ws: &mut Socket, message: Message, room: String) {
            ws.publish(room, message);
        }
    }
    let server = TestServer::start(App::new().ws(Room)).await;
    let mut one = server.connect("/rooms/a").await;
    assert_eq!(one.text().await, "welcome");
    let mut one = one.active().await;
    let mut two = server.connect("/rooms/a").await;
    assert_eq!(two.text().await, "welcome");
    let mut two = two.active().await;
    assert_eq!(one.text().await, "someone came");
    let mut other = server.connect("/rooms/b").await;
    assert_eq!(other.text().await, "welcome");
    let mut other = other.active().await;
    one.send("hello").await;
    assert_eq!(two.text().await, "hello");
    server.hub().broadcast("next");
    assert_eq!(other.text().await, "next");
}

#[tokio::test]
async fn a_connection_leaves_its_topics_when_it_ends() {
    let server = server().await;
    let mut one = server.connect("/topics").await;
    does!(one, "+a");
    one.close().await;
    // The next connection takes the place of the first in the table, and none of its topics.
    let mut two = server.connect("/topics").await;
    does!(two, "+b");
    server.hub().publish("a", "for nobody");
    server.hub().publish("b", "for two");
    assert_eq!(two.text().await, "for two");
}
