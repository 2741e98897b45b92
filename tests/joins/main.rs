//! A hammer for the promise "from the moment `open` is called, a connection misses nothing": many
//! clients join while others publish, and each checks every number that it gets.

mod endings;
mod hostile;
mod load;
mod overflow;
mod routes;
mod world;

use std::sync::Arc;

use harpia_tests::TestServer;

use load::{Load, Writers};
use world::{Numbers, Way, World, parse, parse_snapshot};

/// How many clients join in each test, and how many at once.
const JOINS: usize = 1000;
const AT_ONCE: usize = 8;

/// How many updates each reads after its snapshot.
const UPDATES: usize = 12;

/// How a client joins.
#[derive(Clone, Copy)]
struct Join {
    path: &'static str,
    sends_token: bool,
}

async fn hammer(way: Way, load: Load, join: Join) {
    let world = World::new(way);
    let server = Arc::new(TestServer::start(routes::app(&world)).await);
    let writers = Writers::start(&world, &server, way, load).await;
    let joiners = (0..AT_ONCE).map(|_| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            for _ in 0..JOINS / AT_ONCE {
                check_a_join(&server, way, join).await;
            }
        })
    });
    let joiners: Vec<_> = joiners.collect();
    for joiner in joiners {
        joiner.await.expect("a joiner found a fault");
    }
    writers.stop().await;
}

async fn check_a_join(server: &TestServer, way: Way, join: Join) {
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
            // A topic begins exactly after the snapshot; a broadcast may repeat what it has.
            None if way == Way::Topic => assert_eq!(number, in_snapshot + 1, "{writer}"),
            None => assert!(
                number <= in_snapshot + 1,
                "{writer}: {number} after a snapshot with {in_snapshot}"
            ),
        }
    }
}

macro_rules! hammers {
    ($($way:ident $load:ident $path:literal $sends_token:literal => $name:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let join = Join { path: $path, sends_token: $sends_token };
            hammer(Way::$way, Load::$load, join).await;
        }
    )*};
}

mod topic {
    use super::*;

    hammers! {
        Topic Steady "/sync" false => a_sync_open_misses_nothing_of_a_steady_load;
        Topic Bursts "/sync" false => a_sync_open_misses_nothing_of_bursts;
        Topic Steady "/sync-with-auth" true => a_sync_open_after_auth_misses_nothing_of_a_steady_load;
        Topic Bursts "/sync-with-auth" true => a_sync_open_after_auth_misses_nothing_of_bursts;
        Topic Steady "/async?awaits=after" false => an_open_that_awaits_after_it_subscribed_misses_nothing_of_a_steady_load;
        Topic Bursts "/async?awaits=after" false => an_open_that_awaits_after_it_subscribed_misses_nothing_of_bursts;
        Topic Steady "/async-with-auth?awaits=after" true => an_open_after_auth_that_awaits_after_it_subscribed_misses_nothing_of_a_steady_load;
        Topic Bursts "/async-with-auth?awaits=after" true => an_open_after_auth_that_awaits_after_it_subscribed_misses_nothing_of_bursts;
        Topic Steady "/async?awaits=before" false => an_open_that_awaits_before_it_subscribes_misses_nothing_of_a_steady_load;
        Topic Bursts "/async?awaits=before" false => an_open_that_awaits_before_it_subscribes_misses_nothing_of_bursts;
        Topic Steady "/async-with-auth?awaits=before" true => an_open_after_auth_that_awaits_before_it_subscribes_misses_nothing_of_a_steady_load;
        Topic Bursts "/async-with-auth?awaits=before" true => an_open_after_auth_that_awaits_before_it_subscribes_misses_nothing_of_bursts;
    }
}

mod broadcast {
    use super::*;

    hammers! {
        Broadcast Steady "/sync" false => a_sync_open_misses_nothing_of_a_steady_load;
        Broadcast Bursts "/sync" false => a_sync_open_misses_nothing_of_bursts;
        Broadcast Steady "/sync-with-auth" true => a_sync_open_after_auth_misses_nothing_of_a_steady_load;
        Broadcast Bursts "/sync-with-auth" true => a_sync_open_after_auth_misses_nothing_of_bursts;
        Broadcast Steady "/async?awaits=after" false => an_open_that_awaits_after_the_snapshot_misses_nothing_of_a_steady_load;
        Broadcast Bursts "/async?awaits=after" false => an_open_that_awaits_after_the_snapshot_misses_nothing_of_bursts;
        Broadcast Steady "/async-with-auth?awaits=after" true => an_open_after_auth_that_awaits_after_the_snapshot_misses_nothing_of_a_steady_load;
        Broadcast Bursts "/async-with-auth?awaits=after" true => an_open_after_auth_that_awaits_after_the_snapshot_misses_nothing_of_bursts;
        Broadcast Steady "/async?awaits=before" false => an_open_that_awaits_before_the_snapshot_misses_nothing_of_a_steady_load;
        Broadcast Bursts "/async?awaits=before" false => an_open_that_awaits_before_the_snapshot_misses_nothing_of_bursts;
        Broadcast Steady "/async-with-auth?awaits=before" true => an_open_after_auth_that_awaits_before_the_snapshot_misses_nothing_of_a_steady_load;
        Broadcast Bursts "/async-with-auth?awaits=before" true => an_open_after_auth_that_awaits_before_the_snapshot_misses_nothing_of_bursts;
    }
}

mod automatic_broadcast {
    use super::*;

    hammers! {
        Automatic Steady "/sync" false => a_sync_open_misses_nothing_of_a_steady_load;
        Automatic Bursts "/sync" false => a_sync_open_misses_nothing_of_bursts;
        Automatic Steady "/sync-with-auth" true => a_sync_open_after_auth_misses_nothing_of_a_steady_load;
        Automatic Bursts "/sync-with-auth" true => a_sync_open_after_auth_misses_nothing_of_bursts;
        Automatic Steady "/async?awaits=after" false => an_open_that_awaits_after_the_snapshot_misses_nothing_of_a_steady_load;
        Automatic Bursts "/async?awaits=after" false => an_open_that_awaits_after_the_snapshot_misses_nothing_of_bursts;
        Automatic Steady "/async-with-auth?awaits=after" true => an_open_after_auth_that_awaits_after_the_snapshot_misses_nothing_of_a_steady_load;
        Automatic Bursts "/async-with-auth?awaits=after" true => an_open_after_auth_that_awaits_after_the_snapshot_misses_nothing_of_bursts;
        Automatic Steady "/async?awaits=before" false => an_open_that_awaits_before_the_snapshot_misses_nothing_of_a_steady_load;
        Automatic Bursts "/async?awaits=before" false => an_open_that_awaits_before_the_snapshot_misses_nothing_of_bursts;
        Automatic Steady "/async-with-auth?awaits=before" true => an_open_after_auth_that_awaits_before_the_snapshot_misses_nothing_of_a_steady_load;
        Automatic Bursts "/async-with-auth?awaits=before" true => an_open_after_auth_that_awaits_before_the_snapshot_misses_nothing_of_bursts;
    }
}
