//! The memory that the backlogs of all clients may take together.

use std::time::Duration;

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Client, Events, RawClient, TestServer, within};
use tokio::task::yield_now;
use tokio::time::sleep;

const MIB: usize = 1024 * 1024;
/// More than the kernel takes for a client that does not read, which is about 3 MiB.
const MUCH: usize = 16 * MIB;
/// Less than two times `MUCH`, even without what the kernel takes.
const BUDGET: usize = 24 * MIB;
/// The size of one message, in bytes.
const MESSAGE: usize = MIB / 4;

/// A route that closes slow consumers, with more backlog than all clients may have together.
struct Rooms;

#[ws_route("/rooms/{room}", broadcast = off, backlog = "64MiB", write_timeout = off)]
impl Rooms {
    fn open(&self, ws: &mut Socket, room: &str) {
        ws.subscribe(room.to_owned());
        ws.send("in");
    }
}

/// A route that never closes slow consumers.
struct Feed(Events);

#[ws_route("/feed", broadcast = off, slow = skip, backlog = "64MiB", write_timeout = off)]
impl Feed {
    fn message(&self, ws: &mut Socket, message: String) {
        match message.as_str() {
            "one large" => {
                ws.send(vec![7; 8 * MIB]);
            }
            _ => (0..32).for_each(|_| {
                ws.send(vec![7; MESSAGE]);
            }),
        }
        self.0.note("sent");
    }
}

async fn start() -> (TestServer, Events) {
    let events = Events::new();
    let app = App::new().ws(Rooms).ws(Feed(events.clone()));
    let server = TestServer::start(app.backlog_budget(BUDGET)).await;
    (server, events)
}

/// Connects 20 clients that ask for messages and never read them.
async fn never_reading(server: &TestServer, events: &Events, ask: &str) -> Vec<RawClient> {
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = RawClient::connect_narrow(server.address(), "/feed").await;
        client.texts(&[ask]).await;
        assert_eq!(events.next().await, "sent");
        clients.push(client);
    }
    clients
}

/// Connects a client that does not read after the greeting, and whose socket takes little.
async fn stalled(server: &TestServer, room: &str) -> RawClient {
    let path = format!("/rooms/{room}");
    let mut client = RawClient::connect_narrow(server.address(), &path).await;
    assert_eq!(client.read_frame().await.expect("a greeting").text(), "in");
    client.active().await
}

async fn reader(server: &TestServer, room: &str) -> Client {
    let mut client = server.connect(&format!("/rooms/{room}")).await;
    assert_eq!(client.text().await, "in");
    client.active().await
}

/// Publishes messages to a room. Returns when its reader has them all, so all are delivered.
async fn publish(server: &TestServer, room: &'static str, bytes: usize, reader: &mut Client) {
    for _ in 0..bytes / MESSAGE {
        let status = server.hub().publish(room, "x".repeat(MESSAGE));
        assert_eq!(status, SendStatus::Sent);
        assert_eq!(reader.text().await.len(), MESSAGE);
    }
}

/// Asserts that a client still gets everything that was published to its room.
async fn reads_all(client: &mut RawClient, bytes: usize) {
    for _ in 0..bytes / MESSAGE {
        let frame = client.read_frame().await.expect("a message");
        assert_eq!(frame.payload.len(), MESSAGE);
    }
}

/// Asserts that two thirds of the budget are there for a client that stalls and then reads. Returns
/// the client and the reader beside it, which are still connected.
async fn a_slow_client_gets_everything(server: &TestServer) -> (RawClient, Client) {
    let mut fast = reader(server, "one").await;
    let mut slow = stalled(server, "one").await;
    publish(server, "one", MUCH, &mut fast).await;
    reads_all(&mut slow, MUCH).await;
    (slow, fast)
}

/// The sweep looks at each connection at least every 400 ms. Stalls that are further apart have a
/// known order.
///
/// Nothing shows that the sweep has looked, so this waits for the time that it takes.
async fn let_the_sweep_see_who_is_stalled() {
    sleep(Duration::from_millis(900)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_waits_for_many_clients_counts_once() {
    let (server, _) = start().await;
    let mut fast = reader(&server, "one").await;
    let mut slow = Vec::new();
    for _ in 0..12 {
        slow.push(stalled(&server, "one").await);
    }
    publish(&server, "one", MUCH, &mut fast).await;
    let_the_sweep_see_who_is_stalled().await;
    for client in &mut slow {
        reads_all(client, MUCH).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_that_have_read_nothing_for_longest_are_closed_and_no_others() {
    let (server, _) = start().await;
    let (mut fast_one, mut fast_two) = (reader(&server, "one").await, reader(&server, "two").await);
    let (mut long, mut short) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        long.push(stalled(&server, "one").await);
        short.push(stalled(&server, "two").await);
    }
    publish(&server, "one", MUCH, &mut fast_one).await;
    let_the_sweep_see_who_is_stalled().await;
    publish(&server, "two", MUCH, &mut fast_two).await;
    for client in &mut long {
        assert_eq!(client.close_code().await, 1013);
    }
    for client in &mut short {
        reads_all(client, MUCH).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_never_read_do_not_cost_a_client_of_another_route_its_messages() {
    let (server, events) = start().await;
    let _never = never_reading(&server, &events, "many").await;
    let_the_sweep_see_who_is_stalled().await;
    let _others = a_slow_client_gets_everything(&server).await;
    // The clients of the feed are still there, and miss messages.
    assert_eq!(server.hub().connections(), 22);
    assert!(server.hub().skipped() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hold_the_memory_with_one_large_message_each_are_cut_off() {
    let (server, events) = start().await;
    let _never = never_reading(&server, &events, "one large").await;
    let_the_sweep_see_who_is_stalled().await;
    a_slow_client_gets_everything(&server).await;
    assert!(server.hub().connections() < 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_of_clients_that_stall_and_reset_is_free_again() {
    let (server, events) = start().await;
    for ask in ["many", "one large", "many", "one large"] {
        for client in never_reading(&server, &events, ask).await {
            client.reset();
        }
    }
    within(async {
        while server.hub().connections() > 0 {
            yield_now().await;
        }
    })
    .await;
    let skipped = server.hub().skipped();
    a_slow_client_gets_everything(&server).await;
    assert_eq!(server.hub().skipped(), skipped);
}
