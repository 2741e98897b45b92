//! The rates in bytes: a client that exceeds one is not read for a while, and nobody is closed.

use std::time::Instant;

use harpia::prelude::*;
use harpia_tests::{Log, RawClient, TestServer, masked};

use crate::compression::deflate;

const KIB: u64 = 1024;

struct Publishing;

#[ws_route(
    "/publishing",
    broadcast = route,
    publish_rate = "512KiB/s",
    rate = off,
    byte_rate = off,
    backlog = "4MiB"
)]
impl Publishing {
    fn message(&self) {}
}

#[tokio::test]
async fn a_client_over_its_publish_rate_is_slowed_down_and_all_receivers_get_everything() {
    let server = TestServer::start(App::new().ws(Publishing)).await;
    let mut receivers = Vec::new();
    for _ in 0..5 {
        receivers.push(server.join("/publishing").await);
    }
    let mut sender = server.join("/publishing").await;
    let began = Instant::now();
    let sending = tokio::spawn(async move {
        let message = "x".repeat(60 * KIB as usize);
        for _ in 0..40 {
            sender.send(&message).await;
        }
        sender
    });
    for number in 1..=40 {
        for receiver in &mut receivers {
            assert_eq!(receiver.text().await.len() as u64, 60 * KIB);
        }
        let allowed = 1024.0 + 512.0 * began.elapsed().as_secs_f64() + 60.0;
        let received = (number * 60) as f64;
        assert!(
            received <= allowed,
            "{received} KiB, and {allowed} are allowed"
        );
    }
    let mut sender = sending.await.expect("the sender is not closed");
    server.hub().broadcast("end");
    assert_eq!(sender.text().await, "end");
}

#[tokio::test]
async fn what_a_handler_publishes_counts_against_the_publish_rate() {
    struct Rooms;
    #[ws_route("/rooms", broadcast = off, publish_rate = "256KiB/s")]
    impl Rooms {
        fn open(&self, ws: &mut Socket) {
            ws.subscribe("room");
        }
        fn message(&self, ws: &mut Socket, kib: String) {
            let kib: usize = kib.parse().unwrap_or_default();
            ws.publish("room", vec![0; kib * 1024]);
            ws.send("published");
        }
    }
    let server = TestServer::start(App::new().ws(Rooms)).await;
    let mut receiver = server.join("/rooms").await;
    let mut sender = server.join("/rooms").await;
    let began = Instant::now();
    for _ in 0..3 {
        sender.send("512").await;
        assert_eq!(sender.text().await, "published");
        assert_eq!(receiver.message().await.into_data().len(), 512 * 1024);
    }
    // The burst is 512 KiB. The last message was allowed after the second was paid for.
    assert!(
        began.elapsed().as_secs_f64() >= 2.0,
        "{:?}",
        began.elapsed()
    );
}

struct Received;

#[ws_route("/received", broadcast = off, byte_rate = "256KiB/s", rate = off)]
impl Received {
    fn message(&self, ws: &mut Socket, message: Bytes) {
        ws.send(message.len().to_string());
    }
}

/// Sends `frames` all at once, and checks that the replies come at the byte rate.
///
/// Each reply stands for `cost` KiB of the 256 KiB/s, of which 512 KiB may come at once.
async fn replies_come_at_the_rate(frames: Vec<u8>, replies: u64, cost: f64) {
    let server = TestServer::start(App::new().ws(Received)).await;
    let mut client = server.connect_raw("/received").await;
    let began = Instant::now();
    client.write(&frames).await;
    for number in 1..=replies {
        let reply = client.read_frame().await.expect("a reply");
        assert!(reply.head == 0x81 || reply.head == 0x8a, "{reply:?}");
        let allowed = 512.0 + 256.0 * began.elapsed().as_secs_f64() + 64.0 + cost;
        let received = number as f64 * cost;
        assert!(
            received <= allowed,
            "{received} KiB, and {allowed} are allowed"
        );
    }
}

#[tokio::test]
async fn messages_over_the_byte_rate_are_read_later() {
    let message = masked(0x82, &vec![0; 60 * 1024]);
    replies_come_at_the_rate(message.repeat(20), 20, 60.0).await;
}

#[tokio::test]
async fn each_ping_costs_at_least_256_bytes() {
    replies_come_at_the_rate(masked(0x89, b"").repeat(4000), 4000, 0.25).await;
}

#[tokio::test]
async fn each_fragment_costs_at_least_256_bytes() {
    let mut message = masked(0x02, b"a");
    message.extend(masked(0x00, b"b").repeat(399));
    message.extend(masked(0x80, b"c"));
    replies_come_at_the_rate(message.repeat(10), 10, 401.0 * 0.25).await;
}

#[tokio::test]
async fn compressed_messages_cost_their_size_after_decompression() {
    struct Inflating;
    #[ws_route("/inflating", broadcast = off, byte_rate = "256KiB/s", compression = on)]
    impl Inflating {
        fn message(&self, ws: &mut Socket, message: Bytes) {
            ws.send(message.len().to_string());
        }
    }
    let server = TestServer::start(App::new().ws(Inflating)).await;
    let address = server.address();
    let mut client = RawClient::connect_offering(
        address,
        "/inflating",
        "permessage-deflate; client_no_context_takeover",
    )
    .await;
    let message = masked(0xc2, &deflate(&[0; 60 * 1024]));
    assert!(message.len() < 1000);
    let began = Instant::now();
    client.write(&message.repeat(20)).await;
    for number in 1..=20 {
        let reply = client.read_frame().await.expect("a reply");
        assert_eq!(reply.payload, b"61440");
        let allowed = 512.0 + 256.0 * began.elapsed().as_secs_f64() + 64.0 + 60.0;
        assert!(f64::from(number) * 60.0 <= allowed);
    }
}

#[tokio::test]
async fn a_client_that_is_not_read_is_neither_idle_nor_pinged_and_goes_on_afterwards() {
    struct Quiet;
    #[ws_route(
        "/quiet",
        broadcast = off,
        byte_rate = "20KiB/s",
        idle_timeout = "1s",
        ping = "500ms"
    )]
    impl Quiet {
        fn message(&self, ws: &mut Socket, message: Bytes) {
            ws.send(message.len().to_string());
        }
    }
    let server = TestServer::start(App::new().ws(Quiet)).await;
    let mut client = server.connect_raw("/quiet").await;
    // 60 KiB more than the burst allows: 3 s at the rate.
    client.write(&masked(0x82, &[0; 50 * 1024]).repeat(2)).await;
    client.write(&masked(0x82, b"next")).await;
    for expected in ["51200", "51200"] {
        let reply = client.read_frame().await.expect("a reply");
        assert_eq!(reply.text(), expected);
    }
    let next = client.read_frame().await.expect("it is not closed");
    assert_eq!((next.head, next.text().as_str()), (0x81, "4"), "not a ping");
}

#[tokio::test]
async fn a_client_that_is_not_read_is_closed_by_a_shutdown_at_once() {
    struct Slow;
    #[ws_route("/slow", broadcast = off, byte_rate = "1KiB/s")]
    impl Slow {
        fn message(&self, ws: &mut Socket, message: Bytes) {
            ws.send(message.len().to_string());
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Slow)).await;
    assert!(
        log.text()
            .contains("route `/slow`: `byte_rate` stops a client for 64s"),
        "{}",
        log.text()
    );
    let mut client = server.connect("/slow").await;
    client.send_binary(&[0; 60 * 1024]).await;
    assert_eq!(client.text().await, "61440");
    let closed = tokio::spawn(async move { client.closed().await });
    server.shut_down().await;
    assert_eq!(
        closed.await.expect("it is closed"),
        (1001, "Server Shutdown".into())
    );
}
