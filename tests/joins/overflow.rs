//! Backlogs that overflow while or after a client joins: the number of skipped messages is exact.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{RawClient, TestServer};

use crate::world::{TOPIC, Way, World, parse, parse_snapshot};

/// The `backlog` of the routes here, in bytes.
const BACKLOG: usize = 8 * 1024;

/// The number of padded updates that exceed the backlog.
const CHUNK: u64 = 20;
const CHUNKS: u64 = 5;
const UPDATES: u64 = CHUNK * CHUNKS;

/// The number of reports that were skipped themselves: they count as skipped messages, too.
#[derive(FromHandshake)]
struct Reports {
    #[from(default)]
    skipped: u32,
}

/// Reports the number of skipped updates.
fn report(ws: &mut Socket<Reports>) {
    let updates = ws.skipped() - ws.data.skipped;
    if ws.send(format!("skipped {updates}")) == SendStatus::Dropped {
        ws.data.skipped += 1;
    }
}

/// Overflows while `open` runs.
struct Skipping(Arc<World>);

#[ws_route("/skipping", broadcast = off, backlog = "8KiB", slow = skip)]
impl Skipping {
    async fn open(&self, ws: &mut Socket<Reports>) {
        let total = self.0.join(ws);
        self.0.grow_to(total + UPDATES + 1).await;
    }

    fn drain(&self, ws: &mut Socket<Reports>) {
        report(ws);
    }
}

/// Overflows after `open` has returned.
struct Stalling(Arc<World>);

#[ws_route("/stalling", broadcast = off, backlog = "8KiB", slow = skip)]
impl Stalling {
    fn open(&self, ws: &mut Socket<Reports>) {
        self.0.join(ws);
    }

    fn drain(&self, ws: &mut Socket<Reports>) {
        report(ws);
    }
}

/// Overflows while `open` runs, and closes slow consumers.
struct Closing(Arc<World>);

#[ws_route("/closing", broadcast = off, backlog = "8KiB")]
impl Closing {
    async fn open(&self, ws: &mut Socket) {
        let total = self.0.join(ws);
        self.0.grow_to(total + UPDATES + 1).await;
    }
}

async fn serve() -> (Arc<World>, TestServer) {
    let world = World::new(Way::Topic);
    let app = App::new()
        .ws(Skipping(Arc::clone(&world)))
        .ws(Stalling(Arc::clone(&world)))
        .ws(Closing(Arc::clone(&world)));
    (world, TestServer::start(app).await)
}

fn padding() -> String {
    format!(" {}", "x".repeat(BACKLOG / 16))
}

/// Overflows the backlog while `open` runs, then lets `open` return.
async fn publish_all(world: &World, server: &TestServer) {
    for _ in 0..CHUNKS {
        for _ in 0..CHUNK {
            world.publish(server.hub(), "all", &padding());
        }
        // The second answer comes after the flush round that delivered the chunk.
        server.hub().subscriber_count(TOPIC).await;
        server.hub().subscriber_count(TOPIC).await;
    }
    world.publish(server.hub(), "all", "");
}

/// The updates that a client has received and missed.
struct Received {
    last: u64,
    missing: u64,
    /// The number that the server last reported as skipped.
    skipped: Option<u64>,
}

impl Received {
    /// Starts with the text of a snapshot.
    fn from_snapshot(text: &str) -> Self {
        Self {
            last: parse_snapshot(text).get("all").copied().unwrap_or_default(),
            missing: 0,
            skipped: None,
        }
    }

    /// Takes an update, or the server's report of skipped updates.
    fn take(&mut self, text: &str) {
        if let Some(count) = text.strip_prefix("skipped ") {
            self.skipped = count.parse().ok();
            return;
        }
        let (_, number) = parse(text).expect("a number");
        assert!(number > self.last, "{number} after {}", self.last);
        self.missing += number - self.last - 1;
        self.last = number;
    }

    /// Returns whether all updates up to `end` were received or reported as skipped.
    fn is_complete(&self, end: u64) -> bool {
        self.skipped == Some(self.missing + end - self.last)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_skipped_during_open_are_counted_and_drain_runs_after_owed_updates() {
    let (world, server) = serve().await;
    for _ in 0..200 {
        let mut client = server.connect("/skipping").await;
        let mut received = Received::from_snapshot(&client.text().await);
        let end = received.last + UPDATES + 1;
        publish_all(&world, &server).await;
        while !received.is_complete(end) {
            received.take(&client.text().await);
        }
        assert!(received.skipped > Some(0), "the backlog did not overflow");
        world.publish(server.hub(), "all", "");
        let (_, next) = parse(&client.text().await).expect("a number");
        assert_eq!(next, end + 1, "the next update follows");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_skipped_for_a_client_that_stalls_after_its_snapshot_are_counted() {
    let (world, server) = serve().await;
    for _ in 0..20 {
        let mut client = RawClient::connect_narrow(server.address(), "/stalling").await;
        let snapshot = client.read_frame().await.expect("a snapshot");
        let mut received = Received::from_snapshot(&snapshot.text());
        assert_eq!(received.last, world.total());
        let before = server.hub().skipped();
        while server.hub().skipped() < before + 50 {
            world.publish(server.hub(), "all", &padding());
            tokio::task::yield_now().await;
        }
        // The log may have been full, so not every publish was an update.
        let end = world.total();
        while !received.is_complete(end) {
            received.take(&client.read_frame().await.expect("a message").text());
        }
        assert!(received.skipped > Some(0), "the backlog did not overflow");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overflow_during_open_closes_with_1013_unless_the_route_skips() {
    let (world, server) = serve().await;
    for _ in 0..200 {
        let mut client = server.connect("/closing").await;
        parse_snapshot(&client.text().await);
        publish_all(&world, &server).await;
        assert_eq!(client.closed().await, (1013, "Slow Consumer".into()));
    }
}
