//! Backpressure: slow consumers, the backlog, and what other clients notice of it.

use std::time::Duration;

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Client, Events, Log, RawClient, TestServer, masked, within};

/// The number of chunks in a flood: 26 MB, more than the kernel's socket buffers hold.
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

/// Connects a client with a small receive buffer, which stalls the server's writes soon.
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
    // The slow client reads at last: first the frame that was being written, then the close frame.
    assert_eq!(slow.close_code().await, 1013);
    assert_eq!(events.next().await, "close 1013 Slow Consumer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_again_is_dropped_after_the_flush_timeout() {
    let app = App::new().ws(Chat(Events::new())).max_connections(2);
    let server = TestServer::start(app).await;
    let _slow = narrow(&server, "/chat").await;
    let mut fast = reader(&server, "/chat").await;
    for number in 0..FLOOD {
        server.hub().broadcast(chunk(number));
        fast.text().await;
    }
    // The limit is two connections, so this client connects once the slow one is dropped.
    reader(&server, "/chat").await;
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
    // `drain` shows that the backlog is empty, so the next message is not skipped.
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
            assert_eq!(text, chunk(number), "messages are whole");
            assert!(last < Some(number), "messages are in order");
            last = Some(number);
            received += 1;
        }
    };
    let (skipped, ()) = tokio::join!(drained, reading);
    assert_eq!(received + skipped, FLOOD, "skipped messages are counted");
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
            let queued = statuses.iter().filter_map(|status| match status {
                SendStatus::Queued(bytes) => Some(*bytes),
                _ => None,
            });
            let is_sent = statuses.contains(&SendStatus::Sent);
            let is_dropped = statuses.last() == Some(&SendStatus::Dropped);
            // The queue may exceed the backlog by the last message.
            let bound = 256 * 1024 + 2 * 33 * 1024;
            let is_bounded = queued.max().is_some_and(|most| most < bound);
            self.0
                .note(format_args!("{is_sent} {is_dropped} {is_bounded}"));
        }
        fn drain(&self, ws: &mut Socket) {
            ws.send("drained");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Firehose(events.clone()))).await;
    let mut client = narrow(&server, "/firehose").await;
    client.frame(0x81, b"go").await;
    // Some messages are sent, some are queued up to a bound, and the last one is dropped.
    assert_eq!(events.next().await, "true true true");
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
    // The server has handled both pings, and the client has read nothing yet.
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
    assert_eq!(pongs, ["new"], "only the newest pong, before the data");
}

struct Slow(Events);

#[ws_route("/slow", broadcast = off, backlog = "4KiB")]
impl Slow {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("slow");
        ws.send("welcome");
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
    fn error(&self, error: &harpia::Error) {
        self.0.note(error);
    }
}

#[tokio::test]
async fn error_and_close_run_for_a_slow_consumer_while_it_still_does_not_read() {
    let (log, events) = (Log::begin(), Events::new());
    let server = TestServer::start(App::new().ws(Slow(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/slow").await;
    client.read_frame().await;
    let padding = "x".repeat(16 * 1024);
    within(async {
        while server.hub().connections() > 0 {
            server.hub().publish("slow", padding.as_str());
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The client has read nothing, so the close frame is not sent yet.
    let calls = [events.next().await, events.next().await];
    assert_eq!(
        calls,
        ["limit exceeded (1013): Slow Consumer", "close 1013"]
    );
    assert!(log.text().contains("cause=\"slow_consumer\""));
    drop(client);
}

struct Skips;

#[ws_route("/skips", broadcast = off, backlog = "4KiB", slow = skip)]
impl Skips {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("skips");
        ws.send("welcome");
    }
}

#[tokio::test]
async fn messages_skipped_for_a_slow_consumer_are_counted_and_logged() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Skips)).await;
    let mut client = RawClient::connect_narrow(server.address(), "/skips").await;
    client.read_frame().await;
    let padding = "x".repeat(16 * 1024);
    within(async {
        while !log.text().contains("messages are left out") {
            server.hub().publish("skips", padding.as_str());
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(server.hub().skipped() > 0);
    drop(client);
}

/// More than the kernel's send buffer holds, by default 4 MiB.
const LARGE: usize = 8 * 1024 * 1024;

struct Large(Events);

#[ws_route(
    "/large",
    broadcast = off,
    backlog = "64MiB",
    slow = skip,
    write_timeout = "1s",
    idle_timeout = off
)]
impl Large {
    fn message(&self, ws: &mut Socket, message: String) {
        if message == "all" {
            ws.send(vec![7; LARGE]);
        }
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_for_write_timeout_is_closed_even_if_it_sends() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Large(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/large").await;
    client.frame(0x81, b"all").await;
    let sending = async {
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        while client.try_write(&masked(0x81, b"hello")).await {
            pace.tick().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        event = events.next() => assert_eq!(event, "close 1013"),
        () = sending => {}
    }
    assert_eq!(server.hub().connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_slowly_outlives_the_write_timeout() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Large(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/large").await;
    client.frame(0x81, b"all").await;
    // 2 MiB a second, so that all takes four times as long as `write_timeout`.
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let mut left = LARGE + 10;
    while left > 0 {
        pace.tick().await;
        let mut some = left.min(200 * 1024);
        while some > 0 {
            let read = client.read_some(some).await;
            assert!(read > 0, "the server has closed");
            (some, left) = (some - read, left - read);
        }
    }
    client.frame(0x89, b"alive?").await;
    let frame = client.read_frame().await.expect("the connection is alive");
    assert_eq!((frame.head, frame.text()), (0x8a, "alive?".into()));
}
