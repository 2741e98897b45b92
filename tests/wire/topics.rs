//! Topics: connections subscribe, unsubscribe and publish.

use harpia::prelude::*;
use harpia_tests::{Client, Log, TestServer};

/// Subscribes to the topic `x` for `+x`, unsubscribes for `-x`, and publishes for `x:text`.
struct Topics;

#[ws_route("/topics", broadcast = off, rate = off)]
impl Topics {
    fn message(&self, ws: &mut Socket, message: String) {
        match message.split_at(1) {
            ("+", topic) => drop(ws.subscribe(topic)),
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

/// Sends a command and waits until the server has carried it out.
async fn act(client: &mut Client, command: &str) {
    client.send(command).await;
    assert_eq!(client.text().await, format!("did {command}"));
}

async fn server() -> TestServer {
    TestServer::start(App::new().ws(Topics)).await
}

#[tokio::test]
async fn a_publish_reaches_other_subscribers_but_not_its_sender() {
    let server = server().await;
    let (mut one, mut two, mut three) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    act(&mut one, "+a").await;
    act(&mut two, "+a").await;
    act(&mut three, "+b").await;
    act(&mut one, "a:hello").await;
    assert_eq!(two.text().await, "hello");
    server.hub().broadcast("next");
    assert_eq!(one.text().await, "next");
    assert_eq!(three.text().await, "next");
}

#[tokio::test]
async fn disconnect_topic_closes_all_subscribers_after_earlier_publishes() {
    let server = server().await;
    let (mut one, mut two, mut other) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    act(&mut one, "+a").await;
    act(&mut two, "+a").await;
    act(&mut other, "+b").await;
    server.hub().publish("a", "last");
    server.hub().disconnect_topic("a", 4003, "over");
    server.hub().publish("a", "too late");
    for client in [&mut one, &mut two] {
        assert_eq!(client.text().await, "last");
        assert_eq!(client.closed().await, (4003, "over".into()));
    }
    act(&mut other, "+a").await;
    server.hub().disconnect_topic("nowhere", 4003, "over");
    server.hub().publish("a", "still here");
    assert_eq!(other.text().await, "still here");
}

#[tokio::test]
async fn a_connection_can_publish_without_a_subscription() {
    let server = server().await;
    let (mut one, mut two) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    act(&mut two, "+a").await;
    act(&mut one, "a:from outside").await;
    assert_eq!(two.text().await, "from outside");
}

#[tokio::test]
async fn a_connection_receives_nothing_after_it_unsubscribes() {
    let server = server().await;
    let (mut one, mut two) = (
        server.connect("/topics").await,
        server.connect("/topics").await,
    );
    act(&mut two, "+a").await;
    act(&mut two, "+a").await;
    act(&mut two, "-a").await;
    act(&mut two, "-never").await;
    act(&mut one, "a:not delivered").await;
    server.hub().broadcast("next");
    assert_eq!(two.text().await, "next");
}

#[tokio::test]
async fn messages_of_several_topics_arrive_in_one_order() {
    let server = server().await;
    let mut reader = server.connect("/topics").await;
    act(&mut reader, "+a").await;
    act(&mut reader, "+b").await;
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
async fn a_subscription_in_open_receives_from_the_first_message_on() {
    struct Room;
    #[ws_route("/rooms/{room}", broadcast = off)]
    impl Room {
        fn open(&self, ws: &mut Socket, room: String) {
            ws.publish(&*room, "someone joined");
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
    assert_eq!(one.text().await, "someone joined");
    let mut other = server.connect("/rooms/b").await;
    assert_eq!(other.text().await, "welcome");
    let mut other = other.active().await;
    one.send("hello").await;
    assert_eq!(two.text().await, "hello");
    server.hub().broadcast("next");
    assert_eq!(other.text().await, "next");
}

#[tokio::test]
async fn a_closed_connection_leaves_its_topics() {
    let server = server().await;
    let mut one = server.connect("/topics").await;
    act(&mut one, "+a").await;
    one.close().await;
    // The next connection takes the slot of the first one, but none of its topics.
    let mut two = server.connect("/topics").await;
    act(&mut two, "+b").await;
    server.hub().publish("a", "for nobody");
    server.hub().publish("b", "for two");
    assert_eq!(two.text().await, "for two");
}

#[tokio::test]
async fn a_hub_publish_reaches_every_subscriber_including_the_calling_connection() {
    struct Room;
    #[ws_route("/room", broadcast = off)]
    impl Room {
        fn open(&self, ws: &mut Socket) {
            ws.subscribe("room");
        }
        fn message(&self, ws: &mut Socket, message: Message) {
            ws.hub().publish("room", message);
        }
    }
    let server = TestServer::start(App::new().ws(Room)).await;
    let (mut one, mut two) = (server.join("/room").await, server.join("/room").await);
    one.send("hello").await;
    assert_eq!(one.text().await, "hello");
    assert_eq!(two.text().await, "hello");
}

/// Reports the result of each subscription. At most two topics, of at most five bytes.
struct Limited;

#[ws_route("/limited", broadcast = off, max_topics = 2, max_topic_len = 5)]
impl Limited {
    fn message(&self, ws: &mut Socket, message: String) {
        let reply = match message.split_at(1) {
            ("-", topic) => {
                ws.unsubscribe(topic);
                "left".to_owned()
            }
            (_, topic) => match ws.subscribe(topic).error() {
                None => "joined".to_owned(),
                Some(error) => error.to_string(),
            },
        };
        ws.send(reply);
    }
}

async fn ask(client: &mut Client, command: &str) -> String {
    client.send(command).await;
    client.text().await
}

#[tokio::test]
async fn a_subscription_beyond_max_topics_is_refused_until_another_topic_is_left() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Limited)).await;
    let mut client = server.connect("/limited").await;
    assert_eq!(ask(&mut client, "+a").await, "joined");
    assert_eq!(ask(&mut client, "+b").await, "joined");
    let refused = "the connection has 2 topics (`max_topics`)";
    assert_eq!(ask(&mut client, "+c").await, refused);
    assert_eq!(ask(&mut client, "+a").await, "joined", "known already");
    assert_eq!(ask(&mut client, "-never").await, "left");
    assert_eq!(ask(&mut client, "+c").await, refused);
    assert_eq!(ask(&mut client, "-a").await, "left");
    assert_eq!(ask(&mut client, "+c").await, "joined");
    for topic in ["a", "b", "c"] {
        server.hub().publish(topic, topic);
    }
    assert_eq!(client.text().await, "b");
    assert_eq!(client.text().await, "c");
    let log = log.text();
    let line = log
        .lines()
        .find(|line| line.contains("subscription refused"));
    let line = line.expect("a refused subscription is logged");
    assert!(line.contains("INFO") && line.contains(refused), "{line}");
}

#[tokio::test]
async fn a_topic_longer_than_max_topic_len_is_refused() {
    let server = TestServer::start(App::new().ws(Limited)).await;
    let mut client = server.connect("/limited").await;
    assert_eq!(ask(&mut client, "+12345").await, "joined");
    assert_eq!(
        ask(&mut client, "+123456").await,
        "the topic has more than 5 bytes (`max_topic_len`)"
    );
    server.hub().publish("123456", "not delivered");
    server.hub().publish("12345", "delivered");
    assert_eq!(client.text().await, "delivered");
}

#[tokio::test]
async fn a_connection_has_at_most_1024_topics_by_default() {
    let server = server().await;
    let mut client = server.connect("/topics").await;
    for number in 0..1025 {
        act(&mut client, &format!("+{number}")).await;
    }
    for number in [0, 1023, 1024] {
        server.hub().publish(number.to_string(), number.to_string());
    }
    server.hub().broadcast("end");
    for expected in ["0", "1023", "end"] {
        assert_eq!(client.text().await, expected);
    }
}
