//! Publishes from a connection that is not active yet: they are held until `open` has returned,
//! and discarded if the connection never becomes active.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{Client, Events, TestServer};
use tokio::sync::Semaphore;

/// Subscribes to the room and receives everything.
struct Member;

#[ws_route("/member", broadcast = off)]
impl Member {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("room");
        ws.send("subscribed");
    }
}

/// Publishes to the room in every handler, and fails or closes as its path says.
struct Visitor {
    events: Events,
    /// `open` waits for a permit.
    gate: Arc<Semaphore>,
}

#[ws_route("/visitor/{way}", broadcast = off)]
impl Visitor {
    async fn auth(&self, ws: &mut Socket, way: &str, first: String) -> HandlerResult {
        ws.publish("room", first);
        match way {
            "rejected" => Err("not you")?,
            "closed" => ws.close(4000, "not now"),
            _ => {}
        }
        Ok(())
    }

    async fn open(&self, ws: &mut Socket, way: &str) -> HandlerResult {
        ws.publish("room", "one");
        ws.subscribe("room");
        self.events.note("opening");
        if way == "disconnected" {
            ws.hub().disconnect(ws.id(), 4000, "bye");
            while ws.is_open() {
                tokio::task::yield_now().await;
            }
            return Ok(());
        }
        self.gate.acquire().await?.forget();
        ws.publish("room", "two");
        if way == "failed" {
            Err("open failed")?;
        }
        ws.send("in");
        Ok(())
    }

    fn close(&self, ws: &mut Socket) {
        ws.publish("room", "left");
        self.events.note("closed");
    }
}

/// Returns a server, the events and the gate of its visitors, and a member of the room.
async fn room() -> (TestServer, Events, Arc<Semaphore>, Client) {
    let (events, gate) = (Events::new(), Arc::new(Semaphore::new(0)));
    let visitor = Visitor {
        events: events.clone(),
        gate: Arc::clone(&gate),
    };
    let server = TestServer::start(App::new().ws(Member).ws(visitor)).await;
    let mut member = server.connect("/member").await;
    assert_eq!(member.text().await, "subscribed");
    (server, events, gate, member.active().await)
}

#[tokio::test]
async fn publishes_in_auth_and_open_are_sent_in_order_after_open_returns() {
    let (server, events, gate, mut member) = room().await;
    let mut client = server.connect("/visitor/in").await;
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
    let (server, _events, gate, _member) = room().await;
    gate.add_permits(1);
    let mut client = server.connect("/visitor/in").await;
    client.send("token").await;
    assert_eq!(client.text().await, "in");
    let mut client = client.active().await;
    server.hub().publish("room", "next");
    assert_eq!(client.text().await, "next");
}

#[tokio::test]
async fn a_connection_whose_open_fails_publishes_nothing_even_from_close() {
    let (server, events, gate, mut member) = room().await;
    gate.add_permits(1);
    let mut client = server.connect("/visitor/failed").await;
    client.send("token").await;
    assert_eq!(client.closed().await.0, 1011);
    assert_eq!(events.next().await, "opening");
    assert_eq!(events.next().await, "closed");
    server.hub().publish("room", "end");
    assert_eq!(member.text().await, "end");
}

#[tokio::test]
async fn a_connection_closed_during_open_publishes_nothing() {
    let (server, events, _gate, mut member) = room().await;
    let mut client = server.connect("/visitor/disconnected").await;
    client.send("token").await;
    assert_eq!(client.closed().await.0, 4000);
    assert_eq!(events.next().await, "opening");
    assert_eq!(events.next().await, "closed");
    server.hub().publish("room", "end");
    assert_eq!(member.text().await, "end");
}

#[tokio::test]
async fn a_connection_rejected_or_closed_in_auth_publishes_nothing() {
    let (server, _events, _gate, mut member) = room().await;
    for (way, code) in [("rejected", 1008), ("closed", 4000)] {
        let mut client = server.connect(&format!("/visitor/{way}")).await;
        client.send("token").await;
        assert_eq!(client.closed().await.0, code);
        server.hub().publish("room", way);
        assert_eq!(member.text().await, way);
    }
}

#[tokio::test]
async fn an_active_connection_can_publish_from_its_close_handler() {
    let (server, _events, gate, mut member) = room().await;
    gate.add_permits(1);
    let mut client = server.connect("/visitor/in").await;
    client.send("token").await;
    for expected in ["token", "one", "two"] {
        assert_eq!(member.text().await, expected);
    }
    client.close().await;
    assert_eq!(member.text().await, "left");
}

#[tokio::test]
async fn publishes_in_open_are_held_up_to_the_backlog() {
    struct PublishesALot;
    #[ws_route("/publishes-a-lot", broadcast = off, backlog = "2KiB")]
    impl PublishesALot {
        fn open(&self, ws: &mut Socket) {
            let message = "m".repeat(1024);
            let published = [(); 3].map(|()| ws.publish("room", &*message));
            ws.send(format!("{published:?}"));
        }
    }
    let server = TestServer::start(App::new().ws(PublishesALot)).await;
    let mut client = server.connect("/publishes-a-lot").await;
    assert_eq!(client.text().await, "[Sent, Sent, Dropped]");
}

#[tokio::test]
async fn publish_returns_closed_after_a_close_in_open() {
    struct Closes(Events);
    #[ws_route("/closes", broadcast = off)]
    impl Closes {
        fn open(&self, ws: &mut Socket) {
            ws.close(4000, "bye");
            self.0
                .note(format_args!("{:?}", ws.publish("room", "late")));
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Closes(events.clone()))).await;
    let _client = server.connect("/closes").await;
    assert_eq!(events.next().await, "Closed");
}
