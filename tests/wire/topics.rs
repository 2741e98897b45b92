//! Topics: rooms that connections enter and leave, and messages for those inside.

use std::sync::Arc;

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Client, Events, TestServer};
use tokio::sync::Semaphore;

/// `+x`, `-x`: enters and leaves the topic `x`; `x:text`: publishes.
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
async fn a_publish_reaches_other_subscribers_but_not_its_sender() {
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
async fn disconnect_topic_closes_all_subscribers_after_earlier_publishes() {
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
async fn disconnect_topic_closes_a_subscriber_while_its_open_runs() {
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
async fn a_connection_can_publish_without_a_subscription() {
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
async fn a_connection_receives_nothing_after_it_unsubscribes() {
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
async fn messages_of_several_topics_arrive_in_one_order() {
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
async fn a_subscription_in_open_receives_from_the_first_message_on() {
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
async fn a_closed_connection_leaves_its_topics() {
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

/// Publishes wherever it can, and ends as its path says.
struct Door {
    events: Events,
    /// `open` waits here.
    gate: Arc<Semaphore>,
}

#[ws_route("/door/{way}", broadcast = off)]
impl Door {
    async fn auth(&self, ws: &mut Socket, way: &str, first: String) -> HandlerResult {
        ws.publish("room", first);
        match way {
            "refused" => Err("not you")?,
            "closed" => ws.close(4000, "not now"),
            _ => {}
        }
        Ok(())
    }

    async fn open(&self, ws: &mut Socket, way: &str) -> HandlerResult {
        ws.publish("room", "one");
        ws.subscribe("room");
        self.events.note("opening");
        if way == "gone" {
            ws.hub().disconnect(ws.id(), 4000, "bye");
            while ws.is_open() {
                tokio::task::yield_now().await;
            }
            return Ok(());
        }
        self.gate.acquire().await?.forget();
        ws.publish("room", "two");
        if way == "failed" {
            Err("no room")?;
        }
        ws.send("in");
        Ok(())
    }

    fn close(&self, ws: &mut Socket) {
        ws.publish("room", "left");
        self.events.note("closed");
    }
}

/// A server with a door, its events and gate, and somebody in the room.
async fn door() -> (TestServer, Events, Arc<Semaphore>, Client) {
    let (events, gate) = (Events::new(), Arc::new(Semaphore::new(0)));
    let door = Door {
        events: events.clone(),
        gate: Arc::clone(&gate),
    };
    let server = TestServer::start(App::new().ws(Topics).ws(door)).await;
    let mut member = server.connect("/topics").await;
    does!(member, "+room");
    (server, events, gate, member)
}

#[tokio::test]
async fn publishes_in_auth_and_open_are_sent_in_order_after_open_returns() {
    let (server, events, gate, mut member) = door().await;
    let mut client = server.connect("/door/in").await;
    client.send("token").await;
    assert_eq!(events.next().await, "opening");
    server.hub().publish("room", "meanwhile");
    assert_eq!(member.text().await, "meanwhile");
    gate.add_permits(1);
    for expected in ["token", "one", "two"] {
        assert_eq!(member.text().await, expected);
    }
}

#[tokio::test]
async fn a_publish_in_open_does_not_reach_its_own_connection() {
    let (server, _events, gate, _member) = door().await;
    gate.add_permits(1);
    let mut client = server.connect("/door/in").await;
    client.send("token").await;
    assert_eq!(client.text().await, "in");
    let mut client = client.active().await;
    server.hub().publish("room", "next");
    assert_eq!(client.text().await, "next");
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

#[tokio::test]
async fn a_hub_publish_in_open_is_sent_at_once() {
    struct Room(Arc<Semaphore>);
    #[ws_route("/room", broadcast = off)]
    impl Room {
        async fn open(&self, ws: &mut Socket) -> HandlerResult {
            ws.hub().publish("room", "somebody knocks");
            self.0.acquire().await?.forget();
            ws.send("in");
            Ok(())
        }
    }
    let gate = Arc::new(Semaphore::new(0));
    let app = App::new().ws(Topics).ws(Room(Arc::clone(&gate)));
    let server = TestServer::start(app).await;
    let mut member = server.connect("/topics").await;
    does!(member, "+room");
    let mut client = server.connect("/room").await;
    assert_eq!(member.text().await, "somebody knocks");
    gate.add_permits(1);
    assert_eq!(client.text().await, "in");
}

#[tokio::test]
async fn a_connection_whose_open_fails_publishes_nothing_even_from_close() {
    let (server, events, gate, mut member) = door().await;
    gate.add_permits(1);
    let mut client = server.connect("/door/failed").await;
    client.send("token").await;
    assert_eq!(client.closed().await.0, 1011);
    assert_eq!(events.next().await, "opening");
    assert_eq!(events.next().await, "closed");
    server.hub().publish("room", "end");
    assert_eq!(member.text().await, "end");
}

#[tokio::test]
async fn a_connection_closed_during_open_publishes_nothing() {
    let (server, events, _gate, mut member) = door().await;
    let mut client = server.connect("/door/gone").await;
    client.send("token").await;
    assert_eq!(client.closed().await.0, 4000);
    assert_eq!(events.next().await, "opening");
    assert_eq!(events.next().await, "closed");
    server.hub().publish("room", "end");
    assert_eq!(member.text().await, "end");
}

#[tokio::test]
async fn an_active_connection_can_publish_from_its_close_handler() {
    let (server, _events, gate, mut member) = door().await;
    gate.add_permits(1);
    let mut client = server.connect("/door/in").await;
    client.send("token").await;
    for expected in ["token", "one", "two"] {
        assert_eq!(member.text().await, expected);
    }
    client.close().await;
    assert_eq!(member.text().await, "left");
}

#[tokio::test]
async fn a_connection_rejected_or_closed_in_auth_publishes_nothing() {
    let (server, _events, _gate, mut member) = door().await;
    for (way, code) in [("refused", 1008), ("closed", 4000)] {
        let mut client = server.connect(&format!("/door/{way}")).await;
        client.send("token").await;
        assert_eq!(client.closed().await.0, code);
        server.hub().publish("room", way);
        assert_eq!(member.text().await, way);
    }
}

#[tokio::test]
async fn publishes_in_open_are_held_up_to_the_backlog() {
    struct Keen;
    #[ws_route("/keen", broadcast = off, backlog = "2KiB")]
    impl Keen {
        fn open(&self, ws: &mut Socket) {
            let message = "m".repeat(1024);
            let published = [(); 3].map(|()| ws.publish("room", &*message));
            ws.send(format!("{published:?}"));
        }
    }
    let server = TestServer::start(App::new().ws(Keen)).await;
    let mut client = server.connect("/keen").await;
    assert_eq!(client.text().await, "[Sent, Sent, Dropped]");
}

#[tokio::test]
async fn publish_returns_closed_after_a_close_in_open() {
    struct Leaves(Events);
    #[ws_route("/leaves", broadcast = off)]
    impl Leaves {
        fn open(&self, ws: &mut Socket) {
            ws.close(4000, "bye");
            self.0
                .note(format_args!("{:?}", ws.publish("room", "late")));
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Leaves(events.clone()))).await;
    let _client = server.connect("/leaves").await;
    assert_eq!(events.next().await, "Closed");
}
