//! What happens to a connection while its `open` runs: endings, failures, and what is sent meanwhile.

use std::sync::Arc;
use std::time::Duration;

use harpia::prelude::*;
use harpia::{Peer, SendStatus};
use harpia_tests::{Client, Events, TestServer};
use tokio::sync::Semaphore;

/// Does what its query says, then waits for a permit.
#[derive(Clone)]
struct Waits {
    events: Events,
    gate: Arc<Semaphore>,
}

#[derive(FromHandshake)]
struct What {
    #[from(query)]
    does: String,
}

#[ws_route("/waits", broadcast = off)]
impl Waits {
    async fn open(&self, ws: &mut Socket<What>) -> HandlerResult {
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
                ws.subscribe("other");
                ws.subscribe("other");
                ws.hub().publish("other", "once");
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

    fn close(&self, ws: &mut Socket<What>, code: CloseCode, reason: &str) {
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

    /// Connects a client whose `open` does this and then waits.
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
    assert_eq!(client.closed().await, (4401, "Token expired".into()));
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
async fn a_hub_publish_in_open_reaches_its_own_connection_and_a_socket_publish_does_not() {
    let world = World::new().await;
    let mut listener = world.server.connect("/listens").await;
    assert_eq!(listener.text().await, "listening");
    let mut client = world.open("publish").await;
    // At once by the hub; by the socket only after `open`.
    assert_eq!(listener.text().await, "published by the hub");
    world.hub().publish("topic", "next");
    assert_eq!(listener.text().await, "next");
    world.let_open_return();
    assert_eq!(listener.text().await, "published by the socket");
    assert_eq!(client.text().await, "published by the hub");
    assert_eq!(client.text().await, "next");
}

#[tokio::test]
async fn unsubscribe_ends_what_is_owed_from_there_and_a_second_subscription_changes_nothing() {
    let world = World::new().await;
    let mut client = world.open("unsubscribe").await;
    world.let_open_return();
    assert_eq!(client.text().await, "before");
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
            self.0.note("shared");
            drop(self.2.acquire().await);
        }
    }
    let (events, peer, gate) = (Events::new(), Arc::default(), Arc::new(Semaphore::new(0)));
    let shares = Shares(events.clone(), Arc::clone(&peer), Arc::clone(&gate));
    let server = TestServer::start(App::new().ws(shares)).await;
    let mut client = server.connect("/shares").await;
    assert_eq!(events.next().await, "shared");
    let peer = peer.lock().unwrap().take().unwrap();
    server.hub().broadcast("owed and never written");
    assert_eq!(peer.send("at once"), SendStatus::Sent);
    assert_eq!(client.text().await, "at once");
    peer.close(4005, "closed by a peer");
    gate.add_permits(1);
    assert_eq!(client.closed().await, (4005, "closed by a peer".into()));
    assert_eq!(server.hub().connections(), 0);
}

#[tokio::test]
async fn subscribers_are_the_active_ones_and_publish_except_leaves_one_out() {
    let world = World::new().await;
    let mut one = world.server.connect("/listens").await;
    assert_eq!(one.text().await, "listening");
    let first = world.hub().subscribers("topic").await;
    assert_eq!(first.ids.len(), 1);
    assert!(first.missing.is_empty());
    let mut two = world.server.connect("/listens").await;
    assert_eq!(two.text().await, "listening");
    let mut waiting = world.open("wait").await;
    assert_eq!(world.hub().subscriber_count("topic").await.count, 2);
    world
        .hub()
        .publish_except("topic", "not for one", first.ids[0]);
    world.hub().publish("topic", "for all");
    assert_eq!(one.text().await, "for all");
    assert_eq!(two.text().await, "not for one");
    world.let_open_return();
    assert_eq!(waiting.text().await, "not for one");
    assert_eq!(world.hub().subscriber_count("topic").await.count, 3);
    assert_eq!(world.hub().subscriber_count("nowhere").await.count, 0);
}

#[tokio::test]
async fn the_id_of_a_closed_connection_excludes_no_later_connection() {
    let world = World::new().await;
    let mut one = world.server.connect("/listens").await;
    assert_eq!(one.text().await, "listening");
    let gone = world.hub().subscribers("topic").await.ids[0];
    world.hub().disconnect(gone, 1000, "");
    one.closed().await;
    one.close().await;
    while world.hub().connections() > 0 {
        tokio::task::yield_now().await;
    }
    let mut other = world.server.connect("/listens").await;
    assert_eq!(other.text().await, "listening");
    world.hub().publish_except("topic", "for the new one", gone);
    assert_eq!(other.text().await, "for the new one");
}
