//! Endings that can be seen: each cause is logged once with its connection and route, and `error`
//! hears of those that the table names.

use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{Events, Log, RawClient, TestServer, masked, within};

struct Cases(Events);

#[ws_route("/cases", broadcast = off, max_message = "1KiB", rate = "5/s")]
impl Cases {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        ws.send("welcome");
    }
    fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        match &*message {
            "close" => ws.close(4000, "bye"),
            "fail" => return Err("it failed".into()),
            "panic" => panic!("it panicked"),
            "expire" => ws.expire_at(1),
            "deadline" => ws.deadline(Duration::from_millis(1), 4002, "late"),
            _ => {}
        }
        Ok(())
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
    fn error(&self, error: &harpia::Error) {
        self.0.note(format_args!("error {}", error.close_code()));
    }
}

/// Ends one connection, and returns its line in the log and what its handlers were told.
async fn end(act: impl AsyncFnOnce(&TestServer, &mut RawClient)) -> (String, Vec<String>) {
    let log = Log::begin();
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Cases(events.clone()))).await;
    let mut client = server.connect_raw("/cases").await;
    client.read_frame().await;
    act(&server, &mut client).await;
    let mut told = Vec::new();
    while told
        .last()
        .is_none_or(|last: &String| !last.starts_with("close"))
    {
        told.push(events.next().await);
    }
    let text = log.text();
    let mut lines = text
        .lines()
        .filter(|line| line.contains("connection closed"));
    let line = lines.next().expect("a line for the ending").to_owned();
    assert_eq!(lines.next(), None, "one line for each ending");
    (line, told)
}

macro_rules! ends {
    ($name:ident, $level:literal, $cause:literal, [$($told:literal),*], $act:expr) => {
        #[tokio::test]
        async fn $name() {
            let (line, told) = end($act).await;
            assert!(line.contains($level), "{line}");
            assert!(line.contains(concat!("cause=\"", $cause, "\"")), "{line}");
            assert!(line.contains("route=\"/cases\""), "{line}");
            assert!(line.contains("connection="), "{line}");
            assert_eq!(told, [$($told),*]);
        }
    };
}

ends!(
    a_close_by_the_client_is_logged_at_debug,
    "DEBUG",
    "client",
    ["close 1000"],
    async |_, client| client.write(&masked(0x88, &1000u16.to_be_bytes())).await
);
ends!(
    a_lost_connection_is_logged_at_debug,
    "DEBUG",
    "lost",
    ["close 1006"],
    async |_, client| client.finish().await
);
ends!(
    a_close_by_a_handler_is_logged_at_debug,
    "DEBUG",
    "handler",
    ["close 4000"],
    async |_, client| client.texts(&["close"]).await
);
ends!(
    a_disconnect_is_logged_at_debug,
    "DEBUG",
    "disconnect",
    ["close 4003"],
    async |server, _| server.hub().disconnect_topic("topic", 4003, "over")
);
ends!(
    a_shutdown_is_logged_at_debug,
    "DEBUG",
    "shutdown",
    ["close 1001"],
    async |server, _| server.hub().shutdown()
);
ends!(
    a_deadline_is_logged_at_info,
    "INFO",
    "deadline",
    ["close 4002"],
    async |_, client| client.texts(&["deadline"]).await
);
ends!(
    an_expired_token_is_logged_at_info,
    "INFO",
    "expired",
    ["close 4401"],
    async |_, client| client.texts(&["expire"]).await
);
ends!(
    an_exceeded_message_rate_is_logged_at_info,
    "INFO",
    "rate_limit",
    ["error 1008", "close 1008"],
    async |_, client| client.texts(&["x"; 6]).await
);
ends!(
    an_oversized_message_is_logged_at_info,
    "INFO",
    "too_big",
    ["error 1009", "close 1009"],
    async |_, client| client.write(&masked(0x81, &[b'x'; 1025])).await
);
ends!(
    a_protocol_error_is_logged_at_info,
    "INFO",
    "protocol",
    ["error 1002", "close 1002"],
    async |_, client| client.write(&masked(0x83, b"")).await
);
ends!(
    a_message_of_the_wrong_type_is_logged_at_info,
    "INFO",
    "invalid_message",
    ["error 1003", "close 1003"],
    async |_, client| client.write(&masked(0x82, b"binary")).await
);
ends!(
    a_handler_error_is_logged_at_info,
    "INFO",
    "handler_error",
    ["error 1011", "close 1011"],
    async |_, client| client.texts(&["fail"]).await
);
ends!(
    a_handler_panic_is_logged_at_warn,
    "WARN",
    "handler_panic",
    ["error 1011", "close 1011"],
    async |_, client| client.texts(&["panic"]).await
);

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
    // The client has read nothing, so the close frame is not out yet.
    let told = [events.next().await, events.next().await];
    assert_eq!(
        told,
        ["protocol violation (1013): Slow Consumer", "close 1013"]
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

#[tokio::test]
async fn a_rejected_origin_is_logged_with_origin_host_and_remedy() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Skips)).await;
    let headers = [("origin", "https://evil.example")];
    assert_eq!(server.refused("/skips?token=secret", &headers).await.0, 403);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("upgrade refused"));
    let line = line.expect("a line for the refusal");
    for part in [
        "INFO",
        "https://evil.example",
        "127.0.0.1",
        "`origins`",
        "/skips",
        "403",
    ] {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
    assert!(!line.contains("secret"));
}

#[tokio::test]
async fn a_rejected_handshake_is_logged_with_its_status_and_path() {
    struct Needs;
    #[derive(FromHandshake)]
    struct Room {
        #[from(query)]
        _room: u32,
    }
    #[ws_route("/needs", data = Room)]
    impl Needs {
        fn open(&self) {}
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Needs)).await;
    assert_eq!(server.refused("/needs", &[]).await.0, 400);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("upgrade refused"));
    let line = line.expect("a line for the refusal");
    assert!(line.contains("400") && line.contains("/needs"), "{line}");
}
