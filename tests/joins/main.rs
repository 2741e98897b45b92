//! Load tests of the promise "from the moment `open` is called, a connection misses nothing".
//!
//! Many clients join while writers publish. Each message has a number, and each client checks
//! every number that it receives.

mod closes;
mod hostile;
mod load;
mod overflow;
mod routes;
mod world;

use std::sync::Arc;

use harpia_tests::TestServer;

use load::{Load, Writers};
use world::{Numbers, Way, World, parse, parse_snapshot};

/// The number of clients that join in each test.
const JOINS: usize = 1000;

/// The number of clients that are connected at the same time.
const AT_ONCE: usize = 8;

/// The number of updates that each client reads after its snapshot.
const UPDATES: usize = 12;

/// How a client joins.
#[derive(Clone, Copy)]
struct Join {
    path: &'static str,
    sends_token: bool,
}

async fn check_joins(way: Way, load: Load, join: Join) {
    let world = World::new(way);
    let server = Arc::new(TestServer::start(routes::app(&world)).await);
    let writers = Writers::start(&world, &server, way, load).await;
    let joiners = (0..AT_ONCE).map(|_| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            for _ in 0..JOINS / AT_ONCE {
                check_join(&server, way, join).await;
            }
        })
    });
    let joiners: Vec<_> = joiners.collect();
    for joiner in joiners {
        joiner.await.expect("a client missed nothing");
    }
    writers.stop().await;
}

async fn check_join(server: &TestServer, way: Way, join: Join) {
    let mut client = server.connect(join.path).await;
    if join.sends_token {
        client.send("token").await;
    }
    let snapshot = parse_snapshot(&client.text().await);
    let mut received = Numbers::new();
    for _ in 0..UPDATES {
        let text = client.text().await;
        let (writer, number) = parse(&text).expect("a writer's number");
        let in_snapshot = snapshot.get(&writer).copied().unwrap_or_default();
        match received.insert(writer.clone(), number) {
            Some(before) => assert_eq!(number, before + 1, "{writer} after {before}"),
            // A topic starts exactly after the snapshot. A broadcast may repeat updates of it.
            None if way == Way::Topic => assert_eq!(number, in_snapshot + 1, "{writer}"),
            None => assert!(
                number <= in_snapshot + 1,
                "{writer}: {number} after a snapshot with {in_snapshot}"
            ),
        }
    }
}

/// Makes a module for each way of publishing, with a module for each route and a test for each
/// load.
macro_rules! joins {
    ($way:ident { $($route:ident: $path:literal, $sends_token:literal;)* }) => {$(
        mod $route {
            use super::super::*;

            const JOIN: Join = Join { path: $path, sends_token: $sends_token };

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn misses_nothing_under_a_steady_load() {
                check_joins(Way::$way, Load::Steady, JOIN).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn misses_nothing_under_bursts() {
                check_joins(Way::$way, Load::Bursts, JOIN).await;
            }
        }
    )*};
    ($($module:ident: $way:ident;)*) => {$(
        mod $module {
            joins! { $way {
                sync_open: "/sync", false;
                sync_open_after_auth: "/sync-with-auth", true;
                async_open_that_awaits_after_its_snapshot: "/async?awaits=after", false;
                async_open_that_awaits_before_its_snapshot: "/async?awaits=before", false;
                async_open_after_auth_that_awaits_after_its_snapshot:
                    "/async-with-auth?awaits=after", true;
                async_open_after_auth_that_awaits_before_its_snapshot:
                    "/async-with-auth?awaits=before", true;
            } }
        }
    )*};
}

joins! {
    topic: Topic;
    broadcast: Broadcast;
    automatic_broadcast: Automatic;
}
