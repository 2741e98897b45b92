//! Closes while clients join: every subscriber receives a final message, and a rejected client
//! receives nothing.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{Events, TestServer};
use tokio::sync::Semaphore;

/// Subscribes in `open` and then waits for a permit.
struct Waits {
    opened: Events,
    gate: Arc<Semaphore>,
}

#[ws_route("/waits", broadcast = off)]
impl Waits {
    async fn open(&self, ws: &mut Socket) {
        ws.subscribe("auction");
        ws.send("snapshot");
        self.opened.note("subscribed");
        drop(self.gate.acquire().await);
    }
}

/// Subscribes in `open` and returns.
struct Ready(Events);

#[ws_route("/ready", broadcast = off)]
impl Ready {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("auction");
        ws.send("snapshot");
        self.0.note("subscribed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_message_reaches_every_subscriber_before_the_close_even_during_open() {
    let (opened, gate) = (Events::new(), Arc::new(Semaphore::new(0)));
    let waits = Waits {
        opened: opened.clone(),
        gate: Arc::clone(&gate),
    };
    let app = App::new().ws(waits).ws(Ready(opened.clone()));
    let server = TestServer::start(app).await;
    let mut clients = Vec::new();
    for number in 0..200 {
        let path = if number % 2 == 0 { "/waits" } else { "/ready" };
        clients.push(server.connect(path).await);
        assert_eq!(opened.next().await, "subscribed");
    }
    let hub = server.hub();
    hub.publish("auction", "last");
    hub.disconnect_topic("auction", 4000, "over");
    hub.publish("auction", "too late");
    gate.add_permits(1);
    for mut client in clients {
        assert_eq!(client.text().await, "snapshot");
        assert_eq!(client.text().await, "last");
        assert_eq!(client.closed().await, (4000, "over".into()));
    }
}

/// Subscribes and publishes in `open`, waits for a permit, and then rejects the client.
struct Rejects {
    opened: Events,
    gate: Arc<Semaphore>,
    /// Whether `open` returns an error instead of calling `close`.
    fails: bool,
}

#[ws_route("/rejects", broadcast = off)]
impl Rejects {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        ws.subscribe("auction");
        ws.publish("auction", "never sent");
        self.opened.note("subscribed");
        drop(self.gate.acquire().await);
        if self.fails {
            return Err(harpia::Error::close(1008, "Unauthorized").into());
        }
        ws.close(1008, "Unauthorized");
        Ok(())
    }
}

async fn check_rejected_clients(fails: bool) {
    let (opened, gate) = (Events::new(), Arc::new(Semaphore::new(0)));
    let rejects = Rejects {
        opened: opened.clone(),
        gate: Arc::clone(&gate),
        fails,
    };
    let app = App::new().ws(rejects).ws(Ready(opened.clone()));
    let server = TestServer::start(app).await;
    let mut ready = server.connect("/ready").await;
    assert_eq!(ready.text().await, "snapshot");
    assert_eq!(opened.next().await, "subscribed");
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(server.connect("/rejects").await);
        assert_eq!(opened.next().await, "subscribed");
    }
    server.hub().publish("auction", "meanwhile");
    server.hub().broadcast("to all");
    gate.add_permits(1);
    for client in &mut clients {
        assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
    }
    server.hub().publish("auction", "end");
    for expected in ["meanwhile", "to all", "end"] {
        assert_eq!(ready.text().await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_open_closes_receives_nothing_published_meanwhile() {
    check_rejected_clients(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_open_fails_receives_nothing_published_meanwhile() {
    check_rejected_clients(true).await;
}
