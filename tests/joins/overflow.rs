//! A backlog that overflows: the gap is counted, never silent.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{RawClient, TestServer};

use crate::world::{TOPIC, Way, World, parse, parse_snapshot};

const BACKLOG: usize = 8 * 1024;

/// So many fill the backlog once.
const CHUNK: u64 = 20;
const CHUNKS: u64 = 5;
const UPDATES: u64 = CHUNK * CHUNKS;

/// How many reports were left out themselves: they count as skipped messages, too.
#[derive(FromHandshake)]
struct Reports {
    #[from(default)]
    skipped: u32,
}

/// Reports how many updates were left out.
fn report(ws: &mut Socket<Reports>) {
    let updates = ws.skipped() - ws.data.skipped;
    if ws.send(format!("skipped {updates}")) == SendStatus::Dropped {
        ws.data.skipped += 1;
    }
}

struct Skipping(Arc<World>);

#[ws_route("/skipping", broadcast = off, backlog = "8KiB", slow = skip)]
impl Skipping {
    async fn open(&self, ws: &mut Socket<Reports>) {
        let total = self.0.join(ws);
        self.0.grow_to(total + UPDATES + 1).await;
    }

    /// Says what was missed.
    fn drain(&self, ws: &mut Socket<Reports>) {
        report(ws);
    }
}

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

/// Fills the backlog while `open` runs, then lets `open` return.
async fn publish_all(world: &World, server: &TestServer) {
    let padding = format!(" {}", "x".repeat(BACKLOG / 16));
    for _ in 0..CHUNKS {
        for _ in 0..CHUNK {
            world.publish(server.hub(), "all", &padding);
        }
        // The second answer comes after the flush round that delivered the chunk.
        server.hub().subscriber_count(TOPIC).await;
        server.hub().subscriber_count(TOPIC).await;
    }
    world.publish(server.hub(), "all", "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_during_open_is_counted_and_drain_follows_what_was_owed() {
    let (world, server) = serve().await;
    for _ in 0..200 {
        let mut client = server.connect("/skipping").await;
        let snapshot = parse_snapshot(&client.text().await);
        let mut last = snapshot.get("all").copied().unwrap_or_default();
        let end = last + UPDATES + 1;
        publish_all(&world, &server).await;
        let (mut missing, mut skipped) = (0, None);
        // What is still to come after `last` is either received or part of the gap.
        while skipped != Some(missing + end - last) {
            let text = client.text().await;
            if let Some(count) = text.strip_prefix("skipped ") {
                skipped = count.parse::<u64>().ok();
                continue;
            }
            let (_, number) = parse(&text).expect("a number");
            assert!(number > last, "{number} after {last}");
            missing += number - last - 1;
            last = number;
        }
        assert!(
            skipped > Some(0),
            "the backlog holds less than was published"
        );
        world.publish(server.hub(), "all", "");
        let (_, next) = parse(&client.text().await).expect("a number");
        assert_eq!(next, end + 1, "the stream goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_of_a_reader_that_stalls_after_its_snapshot_is_counted() {
    let (world, server) = serve().await;
    let padding = format!(" {}", "x".repeat(BACKLOG / 16));
    for _ in 0..20 {
        let mut client = RawClient::connect_narrow(server.address(), "/stalling").await;
        let snapshot = client.read_frame().await.expect("a snapshot");
        let snapshot = parse_snapshot(&String::from_utf8_lossy(&snapshot.payload));
        let mut last = snapshot.get("all").copied().unwrap_or_default();
        assert_eq!(last, world.total());
        let before = server.hub().skipped();
        while server.hub().skipped() < before + 50 {
            world.publish(server.hub(), "all", &padding);
            tokio::task::yield_now().await;
        }
        let end = world.total();
        let (mut missing, mut skipped) = (0, None);
        while skipped != Some(missing + end - last) {
            let frame = client.read_frame().await.expect("a message");
            let text = String::from_utf8_lossy(&frame.payload);
            if let Some(count) = text.strip_prefix("skipped ") {
                skipped = count.parse::<u64>().ok();
                continue;
            }
            let (_, number) = parse(&text).expect("a number");
            assert!(number > last, "{number} after {last}");
            missing += number - last - 1;
            last = number;
        }
        assert!(skipped > Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overflow_during_open_closes_with_1013_where_the_route_says_so() {
    let (world, server) = serve().await;
    for _ in 0..200 {
        let mut client = server.connect("/closing").await;
        parse_snapshot(&client.text().await);
        publish_all(&world, &server).await;
        assert_eq!(client.closed().await, (1013, "Slow Consumer".into()));
    }
}
