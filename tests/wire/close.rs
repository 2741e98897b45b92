//! The closing handshake: codes, reasons, and what the client receives before the close frame.

use std::time::Duration;

use harpia::SendStatus;
use harpia::prelude::*;
use harpia_tests::{Events, Log, RawClient, TestServer, masked};

/// Closes with the code and reason that the message names: `code reason`.
struct Closer(Events);

#[ws_route("/close", broadcast = off)]
impl Closer {
    fn message(&self, ws: &mut Socket, message: String) {
        let (code, reason) = message.split_once(' ').unwrap_or((&message, ""));
        ws.send("before");
        ws.close(code.parse::<u16>().unwrap_or(1000), reason);
        assert!(!ws.is_open());
        self.0.note(format_args!("{:?}", ws.send("after")));
        ws.close(4999, "too late");
    }

    fn close(&self, ws: &mut Socket, code: CloseCode, reason: &str) {
        assert_eq!(ws.send("too late"), SendStatus::Closed);
        self.0.note(format_args!("{code} {reason}"));
    }
}

async fn closer() -> (TestServer, Events) {
    let events = Events::new();
    let app = App::new().ws(Closer(events.clone()));
    (TestServer::start(app).await, events)
}

#[tokio::test]
async fn a_close_follows_earlier_sends_and_ignores_later_sends_and_closes() {
    let (server, events) = closer().await;
    let mut client = server.connect("/close").await;
    client.send("4001 as you wish").await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4001, "as you wish".into()));
    assert_eq!(events.next().await, "Closed");
    assert_eq!(events.next().await, "4001 as you wish");
}

#[tokio::test]
async fn a_close_code_that_must_not_be_sent_is_replaced_with_1011() {
    let (server, _) = closer().await;
    for code in ["1006", "1015", "999", "5000", "0"] {
        let mut client = server.connect("/close").await;
        client.send(code).await;
        assert_eq!(client.text().await, "before");
        assert_eq!(client.closed().await.0, 1011, "{code}");
    }
}

#[tokio::test]
async fn code_1005_sends_an_empty_close_frame() {
    let (server, events) = closer().await;
    let mut client = server.connect("/close").await;
    client.send("1005").await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (1005, String::new()));
    assert_eq!(events.next().await, "Closed");
    assert_eq!(events.next().await, "1005 ");
}

#[tokio::test]
async fn a_long_reason_is_truncated_at_a_character_boundary() {
    let (server, _) = closer().await;
    let mut client = server.connect("/close").await;
    client.send(&format!("4000 {}", "ü".repeat(100))).await;
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4000, "ü".repeat(61)));
}

#[tokio::test]
async fn the_clients_close_code_is_echoed_and_passed_to_the_handler() {
    let (server, events) = closer().await;
    for (code, reason) in [(1000, ""), (1001, "leaving"), (3000, "lib"), (4321, "grün")] {
        let mut client = server.connect("/close").await;
        assert_eq!(client.close_with(code, reason).await.0, code);
        assert_eq!(events.next().await, format!("{code} {reason}"));
    }
}

#[tokio::test]
async fn the_server_closes_the_tcp_connection_after_its_close_frame() {
    let (server, _) = closer().await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x88, &[0x03, 0xe8]).await;
    let frame = client.read_frame().await.unwrap();
    assert_eq!((frame.head, &*frame.payload), (0x88, &[0x03, 0xe8][..]));
    assert_eq!(client.read_frame().await, None);
}

#[tokio::test]
async fn a_client_that_never_answers_the_close_frame_is_dropped_after_a_timeout() {
    let app = App::new().ws(Closer(Events::new())).max_connections(1);
    let server = TestServer::start(app).await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x81, b"4000 go").await;
    while client
        .read_frame()
        .await
        .is_some_and(|frame| frame.head != 0x88)
    {}
    // The first client does not answer. The next one connects once the first is dropped.
    server.join("/close").await;
    assert_eq!(client.read_frame().await, None);
}

#[tokio::test]
async fn the_server_ends_its_side_only_after_the_close_frame_of_a_client_that_takes_its_time() {
    let (server, _events) = closer().await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x81, b"4001 go").await;
    let closed = loop {
        let frame = client.read_frame().await.expect("a close frame");
        if frame.head == 0x88 {
            break frame;
        }
    };
    // What the client had under way is skipped, with its pings.
    client.frame(0x82, &[0x88; 70_000]).await;
    client.frame(0x89, b"still here").await;
    assert!(client.is_silent_for(Duration::from_millis(300)).await);
    client.answer_close(&closed).await;
    assert_eq!(client.read_frame().await, None);
}

#[tokio::test]
async fn the_answer_to_a_close_frame_of_the_client_ends_the_servers_side_at_once() {
    let (server, events) = closer().await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x88, &[0x0f, 0xa0]).await;
    let answer = client.read_frame().await.expect("an answer");
    assert_eq!((answer.head, &*answer.payload), (0x88, &[0x0f, 0xa0][..]));
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "4000 ");
}

#[tokio::test]
async fn after_a_violation_nothing_is_parsed_and_the_server_ends_its_side() {
    let (server, events) = closer().await;
    let mut client = server.connect_raw("/close").await;
    client.frame(0x81, b"\xff").await;
    let closed = client.read_frame().await.expect("a close frame");
    assert_eq!(closed.payload[..2], [0x03, 0xef], "1007");
    // The server has ended its side, although the client sends on and never answers.
    assert_eq!(client.read_frame().await, None);
    assert!(client.try_write(&masked(0x81, b"4001 go")).await);
    assert!(client.try_write(b"nonsense").await);
    client.finish().await;
    assert!(events.next().await.starts_with("1007"));
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_of_a_message_of_20_mib_at_2_mib_a_second_reads_1009() {
    let (server, _events) = closer().await;
    let mut client = server.connect_raw("/close").await;
    let length = 20 * 1024 * 1024u64;
    let mut head = vec![0x82, 0xff];
    head.extend(length.to_be_bytes());
    head.extend([0; 4]);
    client.write(&head).await;
    // A pace of 2 MiB a second is the subject of this test, so it measures time.
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    let piece = vec![0; 100 * 1024];
    let mut left = usize::try_from(length).unwrap();
    while left > 0 {
        pace.tick().await;
        let now = left.min(piece.len());
        client.write(&piece[..now]).await;
        left -= now;
    }
    assert_eq!(client.close_code().await, 1009);
    assert_eq!(client.read_frame().await, None);
}

/// Publishes 10 MB to its only client when asked.
struct Large;

#[ws_route("/large", broadcast = off, backlog = "64MiB")]
impl Large {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("all");
        ws.send("in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_delivers_all_to_a_reader_of_1_mb_a_second_and_then_1001() {
    let app = App::new()
        .ws(Large)
        .shutdown_timeout(Duration::from_secs(30));
    let server = TestServer::start(app).await;
    let mut client = RawClient::connect_narrow(server.address(), "/large").await;
    client.read_frame().await.expect("the welcome");
    for _ in 0..100 {
        server.hub().publish("all", vec![7; 100_000]);
    }
    let reading = async {
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..100 {
            pace.tick().await;
            let frame = client.read_frame().await.expect("a message");
            assert_eq!(frame.payload.len(), 100_000);
        }
        let frame = client.read_frame().await.expect("a close frame");
        assert_eq!(frame.payload[..2], [0x03, 0xe9], "1001");
        client.answer_close(&frame).await;
        assert_eq!(client.read_frame().await, None);
    };
    tokio::join!(server.shut_down(), reading);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_but_steady_download_outlives_the_idle_timeout() {
    struct Files;
    #[ws_route("/files", broadcast = off, idle_timeout = "2s", ping = "1s")]
    impl Files {
        fn message(&self, ws: &mut Socket) {
            ws.send(vec![7; 900 * 1024]);
        }

        fn drain(&self) {}
    }
    let server = TestServer::start(App::new().ws(Files)).await;
    let mut client = RawClient::connect_narrow(server.address(), "/files").await;
    client.frame(0x81, b"all of it").await;
    // 100 KiB a second.
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    let mut left = 900 * 1024 + 10;
    while left > 0 {
        pace.tick().await;
        left -= client.read_some(left.min(10 * 1024)).await;
    }
    // The pings come after the message. The client answers them as it meets them.
    client.frame(0x8a, b"").await;
    client.frame(0x89, b"alive?").await;
    loop {
        let frame = client.read_frame().await.expect("the connection is alive");
        match frame.head {
            0x89 => client.frame(0x8a, &frame.payload).await,
            head => {
                assert_eq!((head, frame.text()), (0x8a, "alive?".into()));
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_is_closed_as_idle_although_its_kernel_takes_small_messages() {
    struct Ticks;
    #[ws_route("/ticks", broadcast = off, idle_timeout = "1s", ping = "200ms")]
    impl Ticks {
        fn open(&self, ws: &mut Socket) {
            ws.subscribe("ticks");
            ws.send("in");
        }

        fn close(&self, code: CloseCode, reason: &str) {
            CLOSED
                .get_or_init(Events::new)
                .note(format_args!("{code} {reason}"));
        }
    }
    static CLOSED: std::sync::OnceLock<Events> = std::sync::OnceLock::new();
    let closed = CLOSED.get_or_init(Events::new).clone();
    let server = TestServer::start(App::new().ws(Ticks)).await;
    let mut client = server.connect_raw("/ticks").await;
    client.read_frame().await.expect("the welcome");
    let hub = server.hub().clone();
    let ticking = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            hub.publish("ticks", "tick");
        }
    });
    let reason = closed.next().await;
    assert!(reason.starts_with("1001 Idle"), "{reason}");
    ticking.abort();
}

/// Queues 2 MB for a client that does not read, and then closes if the message says so.
///
/// Notes the number of messages sent, and the calls of `error` and `close`.
struct Flood(Events);

#[ws_route("/flood", broadcast = off, backlog = "64MiB")]
impl Flood {
    fn message(&self, ws: &mut Socket, message: String) {
        let mut sent = 0;
        while !matches!(ws.send(chunk(sent)), SendStatus::Queued(2_000_000..)) {
            sent += 1;
        }
        if message == "close" {
            ws.close(4000, "bye");
        }
        self.0.note(sent + 1);
    }

    fn error(&self, error: &harpia::Error) {
        self.0.note(error);
    }

    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
}

fn chunk(number: usize) -> String {
    format!("{number:06}{}", "x".repeat(20_000))
}

/// Reads chunks in order until the close frame; returns their number and the close code.
async fn read_chunks(client: &mut RawClient) -> (usize, u16) {
    let mut count = 0;
    loop {
        let frame = client.read_frame().await.expect("a close frame");
        if frame.head == 0x88 {
            client.try_write(&masked(0x88, &frame.payload)).await;
            return (
                count,
                u16::from_be_bytes([frame.payload[0], frame.payload[1]]),
            );
        }
        assert_eq!((frame.head, frame.text()), (0x81, chunk(count)));
        count += 1;
    }
}

#[tokio::test]
async fn a_close_after_queued_messages_delivers_all_of_them() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Flood(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/flood").await;
    client.texts(&["close"]).await;
    let sent: usize = events.next().await.parse().unwrap();
    assert_eq!(read_chunks(&mut client).await, (sent, 4000));
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "close 4000");
}

#[tokio::test]
async fn a_protocol_error_drops_queued_messages_but_completes_a_frame_being_written() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Flood(events.clone()))).await;
    let mut client = RawClient::connect_narrow(server.address(), "/flood").await;
    client.texts(&["go"]).await;
    let sent: usize = events.next().await.parse().unwrap();
    // An unmasked frame is a protocol error.
    client.write(&[0x81, 0x02, b'h', b'i']).await;
    assert!(events.next().await.contains("Masked"));
    let (read, code) = read_chunks(&mut client).await;
    assert_eq!(code, 1002);
    // About 100 chunks were queued and dropped. Chunks in the kernel's buffer still arrive.
    assert!(read > 0 && read + 90 < sent, "{read} of {sent}");
    assert_eq!(client.read_frame().await, None);
    assert_eq!(events.next().await, "close 1002");
}

#[tokio::test]
async fn a_close_reason_of_a_client_cannot_add_a_line_to_the_log() {
    struct Silent;
    #[ws_route("/silent", broadcast = off)]
    impl Silent {
        fn message(&self) {}
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Silent)).await;
    let mut client = server.join("/silent").await;
    client.close_with(4000, "bye\nWARN forged").await;
    server.shut_down().await;
    let text = log.text();
    let mut lines = text.lines();
    let closed = lines.find(|line| line.contains("connection closed"));
    let closed = closed.expect("a line about the close");
    assert!(closed.contains(r"bye\nWARN forged"), "{closed}");
}
