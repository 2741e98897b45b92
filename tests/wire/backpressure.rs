//! A peer that does not read: what becomes of it, and that nobody else notices.

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Client, Events, RawClient, TestServer};

/// Far more than the kernel's buffers between two sockets hold.
const FLOOD: usize = 800;

fn chunk(number: usize) -> String {
    format!("{number:06}{}", "x".repeat(32 * 1024))
}

struct Chat(Events);

#[ws_route("/chat", backlog = "1MiB", rate = off)]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        ws.send("in");
    }

    fn close(&self, code: CloseCode, reason: &str) {
        self.0.note(format_args!("close {code} {reason}"));
    }

    fn drain(&self) {
        self.0.note("drain");
    }
}

async fn narrow(server: &TestServer, path: &str) -> RawClient {
    let mut client = RawClient::connect_narrow(server.address(), path).await;
    let greeting = client.read_frame().await;
    assert_eq!(greeting.map(|frame| frame.text()).as_deref(), Some("in"));
    client.active().await
}

async fn reader(server: &TestServer, path: &str) -> Client {
    let mut client = server.connect(path).await;
    assert_eq!(client.text().await, "in");
    client.active().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_is_closed_with_1013_and_others_receive_everything() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Chat(events.clone()))).await;
    let mut slow = narrow(&server, "/chat").await;
    let mut fast = reader(&server, "/chat").await;
    for number in 0..FLOOD {
        server.hub().broadcast(chunk(number));
        assert_eq!(fast.text().await[..6], chunk(number)[..6]);
    }
    // It reads at last, and finds the rest of the frame under way and its close.
    assert_eq!(slow.close_code().await, 1013);
    assert_eq!(events.next().await, "close 1013 Slow Consumer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_again_is_dropped_after_the_flush_timeout() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Chat(events.clone()))).await;
    let _slow = narrow(&server, "/chat").await;
    let mut fast = reader(&server, "/chat").await;
    for number in 0..FLOOD {
        server.hub().broadcast(chunk(number));
        fast.text().await;
    }
    // Its `close` handler runs when the deadline for flushing has passed.
    assert_eq!(events.next().await, "close 1013 Slow Consumer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_skip_drops_and_counts_whole_messages_and_keeps_the_order() {
    struct Prices(Events);
    #[ws_route("/prices", broadcast = off, slow = skip, backlog = "256KiB")]
    impl Prices {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
        fn drain(&self, ws: &mut Socket) {
            self.0.note(ws.skipped());
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Prices(events.clone()))).await;
    let mut slow = narrow(&server, "/prices").await;
    let mut fast = reader(&server, "/prices").await;
    for number in 0..FLOOD {
        server.hub().broadcast(chunk(number));
        fast.text().await;
    }
    let mut last = None;
    let mut received = 0;
    // `drain` says that all that was kept is on its way; then the next one comes again.
    let drained = async {
        let skipped: usize = events.next().await.parse().unwrap();
        server.hub().broadcast("after the gap");
        skipped
    };
    let reading = async {
        while let Some(frame) = slow.read_frame().await {
            let text = frame.text();
            if text == "after the gap" {
                break;
            }
            let number: usize = text[..6].parse().unwrap();
            assert_eq!(text, chunk(number), "whole messages only");
            assert!(last < Some(number), "in order");
            last = Some(number);
            received += 1;
        }
    };
    let (skipped, ()) = tokio::join!(drained, reading);
    assert_eq!(received + skipped, FLOOD, "what was left out is counted");
    assert!(received > 0 && received < FLOOD, "{received} of {FLOOD}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn send_returns_sent_queued_or_dropped_and_drain_runs_once_the_queue_is_empty() {
    struct Firehose(Events);
    #[ws_route("/firehose", broadcast = off, slow = skip, backlog = "256KiB")]
    impl Firehose {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
        fn message(&self, ws: &mut Socket) {
            let statuses: Vec<_> = (0..FLOOD).map(|number| ws.send(chunk(number))).collect();
            let queued = |status: &&SendStatus| matches!(status, SendStatus::Queued(_));
            let waiting = statuses.iter().filter_map(|status| match status {
                SendStatus::Queued(bytes) => Some(*bytes),
                _ => None,
            });
            self.0.note(statuses.contains(&SendStatus::Sent));
            self.0.note(statuses.iter().any(|status| queued(&status)));
            self.0.note(statuses.last() == Some(&SendStatus::Dropped));
            // The backlog, and at most one message more.
            self.0.note(
                waiting
                    .max()
                    .is_some_and(|most| most < 256 * 1024 + 2 * 33 * 1024),
            );
        }
        fn drain(&self, ws: &mut Socket) {
            ws.send("drained");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Firehose(events.clone()))).await;
    let mut client = narrow(&server, "/firehose").await;
    client.frame(0x81, b"go").await;
    for what in ["sent", "queued", "dropped", "bounded"] {
        assert_eq!(events.next().await, "true", "{what}");
    }
    loop {
        let frame = client.read_frame().await.unwrap();
        if frame.text() == "drained" {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pong_overtakes_queued_data_and_replaces_an_older_pong() {
    struct Burst(Events);
    #[ws_route("/burst", broadcast = off, backlog = "64MiB")]
    impl Burst {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
        fn message(&self, ws: &mut Socket, message: String) {
            if message == "burst" {
                while !matches!(ws.send(chunk(0)), SendStatus::Queued(1_000_000..)) {}
                ws.send("last");
            }
            self.0.note(message);
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Burst(events.clone()))).await;
    let mut client = narrow(&server, "/burst").await;
    client.frame(0x81, b"burst").await;
    client.frame(0x89, b"old").await;
    client.frame(0x89, b"new").await;
    client.frame(0x81, b"done").await;
    assert_eq!(events.next().await, "burst");
    // Both pings are handled, and the client has read nothing yet.
    assert_eq!(events.next().await, "done");
    let mut pongs = Vec::new();
    loop {
        let frame = client.read_frame().await.unwrap();
        match frame.head {
            0x8a => pongs.push(frame.text()),
            _ if frame.payload == b"last" => break,
            _ => {}
        }
    }
    assert_eq!(pongs, ["new"], "the newest pong alone, ahead of the data");
}
