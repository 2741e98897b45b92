//! `open`: what reaches a connection while it runs, and how the connection closes meanwhile.

use std::sync::Arc;
use std::time::Duration;

use harpia::prelude::*;
use harpia::{Peer, SendStatus};
use harpia_tests::{Client, Events, TestServer, masked};
use tokio::sync::Semaphore;

/// Does in `open` what the query says, and then waits for a permit.
#[derive(Clone)]
struct Waits {
    events: Events,
    gate: Arc<Semaphore>,
}

#[derive(FromHandshake)]
struct Action {
    #[from(query)]
    does: String,
}

#[ws_route("/waits", broadcast = off)]
impl Waits {
    async fn open(&self, ws: &mut Socket<Action>) -> HandlerResult {
        ws.subscribe("topic");
        ws.send("sent in open");
        match ws.data.does.as_str() {
            "expires" => ws.expire_at(1),
            "deadline" => ws.deadline(Duration::from_millis(1), 4002, "deadline"),
            "publish" => {
                ws.publish("topic", "published by the socket");
                ws.hub().publish("topic", "published by the hub");
            }
            "unsubscribe" => {
                ws.hub().publish("topic", "before");
                ws.unsubscribe("topic");
                ws.hub().publish("topic", "after");
            }
            "twice" => {
                ws.subscribe("topic");
                ws.hub().publish("topic", "once");
            }
            _ => {}
        }
        self.events.note(ws.id().as_u64());
        while ws.data.does == "deadline" && ws.is_open() {
            tokio::task::yield_now().await;
        }
        drop(self.gate.acquire().await);
        if ws.data.does == "fail" {
            return Err(harpia::Error::close(4001, "own").into());
        }
        Ok(())
    }

    fn close(&self, ws: &mut Socket<Action>, code: CloseCode, reason: &str) {
        ws.publish("topic", "never sent");
        self.events.note(format_args!("closed {code} {reason}"));
    }
}

struct Listens;

#[ws_route("/listens", broadcast = off)]
impl Listens {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        ws.send("listening");
    }
}

async fn listener(server: &TestServer) -> Client {
    let mut client = server.connect("/listens").await;
    assert_eq!(client.text().await, "listening");
    client.active().await
}

struct World {
    server: TestServer,
    waits: Waits,
}

impl World {
    async fn new() -> Self {
        let waits = Waits {
            events: Events::new(),
            gate: Arc::new(Semaphore::new(0)),
        };
        let server = TestServer::start(App::new().ws(waits.clone()).ws(Listens)).await;
        Self { server, waits }
    }

    /// Connects a client and waits until its `open` has done this.
    async fn open(&self, does: &str) -> Client {
        let mut client = self.server.connect(&format!("/waits?does={does}")).await;
        assert_eq!(client.text().await, "sent in open");
        self.waits.events.next().await;
        client
    }

    fn hub(&self) -> &Hub {
        self.server.hub()
    }

    fn let_open_return(&self) {
        self.waits.gate.add_permits(1);
    }
}

#[tokio::test]
async fn a_disconnect_during_open_takes_effect_after_earlier_publishes() {
    let world = World::new().await;
    let mut client = world.open("wait").await;
    world.hub().publish("topic", "before");
    world.hub().disconnect_topic("topic", 4003, "first");
    world.hub().disconnect_topic("topic", 4004, "second");
    world.hub().publish("topic", "after");
    world.let_open_return();
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4003, "first".into()));
    client.close().await;
    assert_eq!(world.waits.events.next().await, "closed 4003 first");
}

#[tokio::test]
async fn a_deadline_during_open_takes_effect_after_earlier_publishes() {
    let world = World::new().await;
    let mut client = world.open("deadline").await;
    world.hub().publish("topic", "before");
    world.let_open_return();
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4002, "deadline".into()));
}

#[tokio::test]
async fn a_token_that_expires_during_open_closes_and_delivers_nothing() {
    let world = World::new().await;
    let mut client = world.open("expires").await;
    world.hub().publish("topic", "meanwhile");
    world.let_open_return();
    assert_eq!(client.closed().await, (4401, "Token Expired".into()));
}

#[tokio::test]
async fn a_failing_open_decides_the_close_frame_over_an_earlier_disconnect() {
    let world = World::new().await;
    let mut client = world.open("fail").await;
    world.hub().publish("topic", "meanwhile");
    world.hub().disconnect_topic("topic", 4003, "over");
    world.let_open_return();
    assert_eq!(client.closed().await, (4001, "own".into()));
    client.close().await;
    assert_eq!(world.waits.events.next().await, "closed 4001 own");
}

#[tokio::test]
async fn a_shutdown_during_open_lets_open_return_and_delivers_earlier_publishes() {
    let world = World::new().await;
    let mut client = world.open("wait").await;
    world.hub().publish("topic", "before");
    world.hub().shutdown();
    world.let_open_return();
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (1001, "Server Shutdown".into()));
}

#[tokio::test]
async fn an_open_that_a_shutdown_cancels_delivers_nothing_and_close_runs() {
    let waits = Waits {
        events: Events::new(),
        gate: Arc::new(Semaphore::new(0)),
    };
    let app = App::new()
        .ws(waits.clone())
        .shutdown_timeout(Duration::from_millis(10));
    let server = TestServer::start(app).await;
    let mut client = server.connect("/waits?does=wait").await;
    assert_eq!(client.text().await, "sent in open");
    waits.events.next().await;
    server.hub().publish("topic", "before");
    server.hub().shutdown();
    assert_eq!(client.closed().await, (1001, "Server Shutdown".into()));
    assert_eq!(waits.events.next().await, "closed 1001 Server Shutdown");
}

#[tokio::test]
async fn a_disconnect_cancels_an_open_that_never_returns_and_close_runs() {
    let world = World::new().await;
    let mut client = world.open("wait").await;
    world.hub().publish("topic", "before");
    world.hub().disconnect_topic("topic", 4003, "over");
    assert_eq!(client.closed().await, (4003, "over".into()));
    client.close().await;
    assert_eq!(world.waits.events.next().await, "closed 4003 over");
}

#[tokio::test]
async fn in_open_a_hub_publish_is_sent_at_once_and_a_socket_publish_waits() {
    let world = World::new().await;
    let mut listener = listener(&world.server).await;
    let mut client = world.open("publish").await;
    assert_eq!(listener.text().await, "published by the hub");
    world.hub().publish("topic", "next");
    assert_eq!(listener.text().await, "next");
    world.let_open_return();
    assert_eq!(listener.text().await, "published by the socket");
    world.hub().publish("topic", "last");
    // A hub publish also reaches the connection that made it, but a socket publish does not.
    for expected in ["published by the hub", "next", "last"] {
        assert_eq!(client.text().await, expected);
    }
}

#[tokio::test]
async fn publishes_after_an_unsubscribe_in_open_are_not_delivered() {
    let world = World::new().await;
    let mut client = world.open("unsubscribe").await;
    world.let_open_return();
    assert_eq!(client.text().await, "before");
    world.hub().broadcast("end");
    assert_eq!(client.text().await, "end");
}

#[tokio::test]
async fn subscribing_twice_in_open_delivers_each_publish_once() {
    let world = World::new().await;
    let mut client = world.open("twice").await;
    world.let_open_return();
    assert_eq!(client.text().await, "once");
    world.hub().broadcast("end");
    assert_eq!(client.text().await, "end");
}

#[tokio::test]
async fn a_peer_sends_at_once_and_closes_while_open_runs() {
    struct Shares(Events, Arc<std::sync::Mutex<Option<Peer>>>, Arc<Semaphore>);
    #[ws_route("/shares")]
    impl Shares {
        async fn open(&self, ws: &mut Socket) {
            *self.1.lock().unwrap() = Some(ws.peer());
            self.0.note("peer shared");
            drop(self.2.acquire().await);
        }
    }
    let (events, peer, gate) = (Events::new(), Arc::default(), Arc::new(Semaphore::new(0)));
    let shares = Shares(events.clone(), Arc::clone(&peer), Arc::clone(&gate));
    let server = TestServer::start(App::new().ws(shares)).await;
    let mut client = server.connect("/shares").await;
    assert_eq!(events.next().await, "peer shared");
    let peer = peer.lock().unwrap().take().unwrap();
    server.hub().broadcast("owed and never sent");
    assert_eq!(peer.send("at once"), SendStatus::Sent);
    assert_eq!(client.text().await, "at once");
    peer.close(4005, "closed by a peer");
    gate.add_permits(1);
    assert_eq!(client.closed().await, (4005, "closed by a peer".into()));
    assert_eq!(server.hub().connections(), 0);
}

#[tokio::test]
async fn a_connection_counts_as_subscriber_after_open_and_receives_earlier_publishes() {
    let world = World::new().await;
    let mut listener = listener(&world.server).await;
    let subscribers = world.hub().subscribers("topic").await;
    assert_eq!(subscribers.ids.len(), 1);
    let mut client = world.open("wait").await;
    assert_eq!(world.hub().subscriber_count("topic").await.count, 1);
    world
        .hub()
        .publish_except("topic", "not for the listener", subscribers.ids[0]);
    world.hub().publish("topic", "for both");
    assert_eq!(listener.text().await, "for both");
    world.let_open_return();
    assert_eq!(client.text().await, "not for the listener");
    assert_eq!(world.hub().subscriber_count("topic").await.count, 2);
    assert_eq!(world.hub().subscriber_count("nowhere").await.count, 0);
}

#[tokio::test]
async fn disconnect_topic_closes_a_subscriber_while_its_open_runs() {
    struct Slow(Events);
    #[ws_route("/slow", broadcast = off)]
    impl Slow {
        async fn open(&self, ws: &mut Socket) {
            ws.subscribe("a");
            self.0.note("subscribed");
            while ws.is_open() {
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
async fn messages_and_broadcasts_that_arrive_during_open_follow_after_it() {
    struct Slow(Arc<Semaphore>, Events);
    #[ws_route("/slow")]
    impl Slow {
        async fn open(&self, ws: &mut Socket) {
            self.1.note("opening");
            drop(self.0.acquire().await);
            ws.send("open");
        }
    }
    let (gate, events) = (Arc::new(Semaphore::new(0)), Events::new());
    let slow = Slow(Arc::clone(&gate), events.clone());
    let server = TestServer::start(App::new().ws(slow).ws(Listens)).await;
    let mut other = listener(&server).await;

    let mut client = server.connect("/slow").await;
    client.send("sent before open returned").await;
    assert_eq!(events.next().await, "opening");
    assert_eq!(server.hub().connections(), 1);
    server.hub().broadcast("meanwhile");
    assert_eq!(other.text().await, "meanwhile");

    gate.add_permits(1);
    assert_eq!(client.text().await, "open");
    assert_eq!(client.text().await, "meanwhile");
    // The client's own message is handled and broadcast after `open`.
    assert_eq!(other.text().await, "sent before open returned");
    server.hub().broadcast("for both");
    assert_eq!(client.text().await, "for both");
}

#[tokio::test]
async fn messages_of_a_connection_that_open_rejects_are_not_broadcast() {
    struct Rejects;
    #[ws_route("/rejects")]
    impl Rejects {
        fn open(&self) -> HandlerResult {
            None.or_close(1008, "Unauthorized")?;
            Ok(())
        }
    }
    let server = TestServer::start(App::new().ws(Rejects).ws(Listens)).await;
    let mut other = listener(&server).await;
    let mut client = server.connect_raw("/rejects").await;
    client.try_write(&masked(0x81, b"hi")).await;
    assert_eq!(client.close_code().await, 1008);
    server.hub().broadcast("next");
    assert_eq!(other.text().await, "next");
}

#[tokio::test]
async fn sends_of_open_go_out_after_a_disconnect_was_requested() {
    struct Snapshot(Events);
    #[ws_route("/snapshot", broadcast = off)]
    impl Snapshot {
        async fn open(&self, ws: &mut Socket) {
            ws.subscribe("topic");
            self.0.note("subscribed");
            while ws.is_open() {
                tokio::task::yield_now().await;
            }
            ws.send("snapshot");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Snapshot(events.clone()))).await;
    let mut client = server.connect("/snapshot").await;
    assert_eq!(events.next().await, "subscribed");
    server.hub().publish("topic", "last");
    server.hub().disconnect_topic("topic", 4000, "over");
    assert_eq!(client.text().await, "snapshot");
    assert_eq!(client.text().await, "last");
    assert_eq!(client.closed().await, (4000, "over".into()));
}

#[tokio::test]
async fn an_open_that_closes_and_then_never_returns_is_dropped_and_its_close_handler_runs() {
    struct Stuck(Events);
    #[ws_route("/stuck", broadcast = off)]
    impl Stuck {
        async fn open(&self, ws: &mut Socket) {
            ws.close(4000, "no");
            std::future::pending::<()>().await;
        }
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Stuck(events.clone()))).await;
    let mut client = server.connect("/stuck").await;
    server.hub().broadcast("not for a connection that closed");
    assert_eq!(client.closed().await, (4000, "no".into()));
    client.close().await;
    assert_eq!(events.next().await, "4000");
}
