//! Hostile or failing joins: clients that are rejected, flooded or reset while `open` runs, and
//! servers that stop at that time.
//!
//! Other clients are not affected, and the server frees every resource.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harpia::prelude::*;
use harpia_tests::{Events, Log, RawClient, TestServer, masked, within};
use tokio::sync::Semaphore;

type Gate = Arc<Semaphore>;

fn gate() -> Gate {
    Arc::new(Semaphore::new(0))
}

/// Waits until all earlier publishes and broadcasts have been delivered.
async fn flush(hub: &Hub) {
    // The first call returns during a flush round, the second one after this round has ended.
    hub.subscriber_count("").await;
    hub.subscriber_count("").await;
}

struct Closes;

#[ws_route("/closes", broadcast = off)]
impl Closes {
    fn open(&self, ws: &mut Socket) {
        ws.close(1008, "no");
    }
}

struct Fails;

#[ws_route("/fails", broadcast = off)]
impl Fails {
    fn open(&self) -> HandlerResult {
        Err(harpia::Error::close(1008, "no").into())
    }
    fn error(&self) {}
}

struct Waits(Events, Gate);

#[ws_route("/waits", broadcast = off)]
impl Waits {
    async fn open(&self) {
        self.0.note("waiting");
        drop(self.1.acquire().await);
    }
}

/// Asserts that rejected clients that stay connected do not use up the server's shared budget.
async fn rejected_clients_use_no_shared_budget(path: &str) {
    let (events, gate) = (Events::new(), gate());
    let waits = Waits(events.clone(), Arc::clone(&gate));
    let app = App::new().ws(Closes).ws(Fails).ws(waits);
    let server = TestServer::start(app).await;
    let (mut rejected, mut waiting) = (Vec::new(), Vec::new());
    for number in 0..400 {
        rejected.push(server.connect_raw(path).await);
        if number % 20 == 0 {
            waiting.push(server.connect("/waits").await);
            assert_eq!(events.next().await, "waiting");
        }
    }
    for _ in 0..9 {
        server.hub().broadcast("x".repeat(100_000));
        flush(server.hub()).await;
    }
    gate.add_permits(1);
    for client in &mut waiting {
        assert_eq!(client.text().await.len(), 100_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_closed_by_open_use_no_shared_budget() {
    rejected_clients_use_no_shared_budget("/closes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_whose_open_failed_use_no_shared_budget() {
    rejected_clients_use_no_shared_budget("/fails").await;
}

struct ClosesSlowly(Gate);

#[ws_route("/closes-slowly", broadcast = off, backlog = "1KiB", slow = skip)]
impl ClosesSlowly {
    fn open(&self, ws: &mut Socket) {
        ws.close(1008, "no");
    }
    async fn close(&self) {
        drop(self.0.acquire().await);
    }
}

#[tokio::test]
async fn a_rejected_client_skips_no_messages_while_its_close_handler_runs() {
    let server = TestServer::start(App::new().ws(ClosesSlowly(gate()))).await;
    let mut client = server.connect("/closes-slowly").await;
    client.closed().await;
    for _ in 0..10 {
        server.hub().broadcast("x".repeat(2000));
        flush(server.hub()).await;
    }
    assert_eq!(server.hub().skipped(), 0);
}

struct FailsSlowly(Events, Gate);

#[ws_route("/fails-slowly", broadcast = off, backlog = "4KiB")]
impl FailsSlowly {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        ws.subscribe("topic");
        Err(harpia::Error::close(4403, "own").into())
    }
    async fn error(&self) {
        self.0.note("error");
        drop(self.1.acquire().await);
    }
}

#[tokio::test]
async fn a_failed_open_decides_the_close_frame_even_if_the_backlog_overflows() {
    let (events, gate) = (Events::new(), gate());
    let route = FailsSlowly(events.clone(), Arc::clone(&gate));
    let server = TestServer::start(App::new().ws(route)).await;
    let mut client = server.connect("/fails-slowly").await;
    assert_eq!(events.next().await, "error");
    for _ in 0..5 {
        server.hub().publish("topic", "x".repeat(4096));
        flush(server.hub()).await;
    }
    gate.add_permits(1);
    assert_eq!(client.closed().await, (4403, "own".into()));
}

struct Forever(Events);

#[ws_route("/forever", broadcast = off)]
impl Forever {
    async fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        self.0.note("open");
        std::future::pending::<()>().await;
    }
    fn close(&self, code: CloseCode) {
        self.0.note(format_args!("close {code}"));
    }
}

/// Drops `serve` while `open` waits forever. Returns the code of the close frame.
///
/// `before` runs just before that.
async fn drop_serve(before: impl FnOnce(&Hub)) -> u16 {
    let events = Events::new();
    let app = App::new().ws(Forever(events.clone()));
    let server = app.bind("127.0.0.1:0").await.expect("a free port");
    let address = server.local_addr().tcp().expect("a TCP address");
    let hub = server.handle();
    let serving = tokio::spawn(server.serve());
    let mut client = RawClient::connect(address, "/forever").await;
    assert_eq!(events.next().await, "open");
    before(&hub);
    flush(&hub).await;
    serving.abort();
    let code = client.close_code().await;
    assert_eq!(events.next().await, format!("close {code}"));
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_that_never_returns_is_cancelled_when_serve_is_dropped() {
    assert_eq!(drop_serve(|_| {}).await, 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnected_open_is_cancelled_with_its_own_code_when_serve_is_dropped() {
    let code = drop_serve(|hub| hub.disconnect_topic("topic", 4000, "over")).await;
    assert_eq!(code, 4000);
}

struct Small(Events, Gate);

#[ws_route("/small", broadcast = off, backlog = "4KiB")]
impl Small {
    async fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        self.0.note("waiting");
        drop(self.1.acquire().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overflow_just_before_a_disconnect_is_reported_with_1013() {
    let (events, gate) = (Events::new(), gate());
    let route = Small(events.clone(), Arc::clone(&gate));
    let server = TestServer::start(App::new().ws(route)).await;
    for _ in 0..50 {
        let mut client = server.connect("/small").await;
        assert_eq!(events.next().await, "waiting");
        let hub = server.hub();
        hub.publish("topic", "a".repeat(5000));
        flush(hub).await;
        // These two are most likely handled in one flush round.
        hub.publish("topic", "last");
        hub.disconnect_topic("topic", 4003, "over");
        flush(hub).await;
        gate.add_permits(1);
        // Either all owed messages come before the close frame, or the close frame says 1013.
        match client.message().await {
            message if message.is_text() => assert_eq!(client.text().await, "last"),
            message => assert!(
                format!("{message:?}").contains("Slow Consumer"),
                "{message:?}"
            ),
        }
        while gate.available_permits() > 0 {
            gate.acquire().await.expect("an open gate").forget();
        }
    }
}

struct Kicked;

#[ws_route("/kicked", broadcast = off)]
impl Kicked {
    fn open(&self, ws: &mut Socket) {
        ws.publish("room", "came");
        ws.hub().disconnect(ws.id(), 4000, "no");
    }
    fn message(&self, ws: &mut Socket, text: String) {
        ws.publish("room", text);
    }
    fn close(&self, ws: &mut Socket) {
        ws.publish("room", "left");
    }
}

struct Room;

#[ws_route("/room", broadcast = off)]
impl Room {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("room");
        ws.send("welcome");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_disconnected_before_it_is_active_publishes_nothing() {
    let server = TestServer::start(App::new().ws(Kicked).ws(Room)).await;
    let mut room = server.connect("/room").await;
    assert_eq!(room.text().await, "welcome");
    let mut request = b"GET /kicked HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    request.extend(masked(0x81, b"hello"));
    for number in 0..200 {
        let mut client = RawClient::upgrade(server.address(), &request).await;
        assert_eq!(client.close_code().await, 4000);
        drop(client);
        let end = format!("end {number}");
        server.hub().publish("room", end.as_str());
        assert_eq!(room.text().await, end);
    }
}

struct Own;

#[derive(FromHandshake)]
struct Chosen {
    #[from(query)]
    by: String,
}

#[ws_route("/own", broadcast = off)]
impl Own {
    fn open(&self, ws: &mut Socket<Chosen>) -> HandlerResult {
        if ws.data.by == "open" {
            ws.close(4000, "open");
        }
        Err("failed".into())
    }
    fn error(&self, ws: &mut Socket<Chosen>) {
        if ws.data.by == "error" {
            ws.close(4001, "error");
        }
    }
}

#[tokio::test]
async fn a_close_requested_by_a_handler_takes_precedence_over_the_error_of_open() {
    let server = TestServer::start(App::new().ws(Own)).await;
    let mut client = server.connect("/own?by=open").await;
    assert_eq!(client.closed().await, (4000, "open".into()));
    let mut client = server.connect("/own?by=error").await;
    assert_eq!(client.closed().await, (4001, "error".into()));
    let mut client = server.connect("/own?by=neither").await;
    assert_eq!(client.closed().await.0, 1011);
}

struct Expires(Events, Gate);

#[ws_route("/expires", broadcast = off)]
impl Expires {
    async fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        self.0.note("waiting");
        drop(self.1.acquire().await);
        ws.expire_at(1);
    }
}

#[tokio::test]
async fn a_token_that_expires_during_open_closes_after_earlier_messages() {
    let (events, gate) = (Events::new(), gate());
    let route = Expires(events.clone(), Arc::clone(&gate));
    let server = TestServer::start(App::new().ws(route)).await;
    let mut client = server.connect("/expires").await;
    assert_eq!(events.next().await, "waiting");
    server.hub().publish("topic", "before");
    gate.add_permits(1);
    assert_eq!(client.text().await, "before");
    assert_eq!(client.closed().await, (4401, "Token Expired".into()));
}

struct Rated;

#[ws_route("/rated", broadcast = off, rate = "1/s")]
impl Rated {
    fn message(&self, _message: Message) {}
    fn error(&self) {}
}

struct Broken;

#[ws_route("/broken", broadcast = off)]
impl Broken {
    fn message(&self) -> HandlerResult {
        Err("it failed".into())
    }
    fn close(&self) -> HandlerResult {
        Err("it failed, too".into())
    }
}

#[tokio::test]
async fn a_flood_of_one_close_cause_hides_no_other_cause_in_the_log() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Rated).ws(Broken)).await;
    for _ in 0..30 {
        let mut client = server.connect_raw("/rated").await;
        client.texts(&["1", "2", "3"]).await;
        client.close_code().await;
    }
    let mut client = server.connect_raw("/broken").await;
    client.texts(&["1"]).await;
    client.close_code().await;
    let text = log.text();
    let closed = text
        .lines()
        .filter(|line| line.contains("connection closed"));
    assert_eq!(
        closed.filter(|line| line.contains("handler_error")).count(),
        1
    );
}

#[tokio::test]
async fn errors_of_close_handlers_do_not_flood_the_log() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Broken)).await;
    for _ in 0..100 {
        let mut client = server.connect_raw("/broken").await;
        client.write(&masked(0x88, &1000u16.to_be_bytes())).await;
        client.close_code().await;
    }
    let text = log.text();
    let errors = text.lines().filter(|line| line.contains("ERROR")).count();
    // The log admits ten lines per second, and a busy machine needs some seconds for this test.
    assert!((1..90).contains(&errors), "{errors} lines");
}

#[tokio::test]
async fn an_upgrade_for_an_unknown_path_is_logged() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Room)).await;
    assert_eq!(server.refused("/rooom?token=secret", &[]).await.0, 404);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("upgrade refused"));
    assert!(line.expect("a line").contains("/rooom"));
    assert!(!text.contains("secret"));
}

/// Counts how often `open` and `close` ran.
#[derive(Clone, Default)]
struct Runs {
    opens: Arc<AtomicUsize>,
    closes: Arc<AtomicUsize>,
}

/// The query of a test client: how its `open` ends.
#[derive(FromHandshake)]
struct How {
    #[from(query)]
    ends: String,
}

struct Mixed(Runs);

#[ws_route("/mixed", backlog = "16KiB", slow = skip, rate = off)]
impl Mixed {
    async fn auth(&self, ws: &mut Socket<How>, _first: String) -> HandlerResult {
        ws.subscribe("topic");
        Ok(())
    }
    async fn open(&self, ws: &mut Socket<How>) -> HandlerResult {
        self.0.opens.fetch_add(1, Ordering::SeqCst);
        ws.publish("topic", "came");
        ws.send("x".repeat(2000));
        ws.deadline(Duration::from_millis(500), 4001, "deadline");
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        match ws.data.ends.as_str() {
            "fails" => Err("no")?,
            "closes" => ws.close(1008, "no"),
            "panics" => std::panic::resume_unwind(Box::new("no")),
            "disconnects" => ws.hub().disconnect(ws.id(), 4000, "no"),
            _ => {}
        }
        Ok(())
    }
    fn error(&self) {}
    fn close(&self) {
        self.0.closes.fetch_add(1, Ordering::SeqCst);
    }
}

/// The most connections that the server accepts at a time.
const PERMITS: usize = 300;
/// The number of clients that join and leave. There are ten times as many as permits, so leaked
/// permits would stop later clients.
const BAD_JOINS: usize = 3000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_failing_joins_leak_nothing_and_every_open_has_its_close() {
    let runs = Runs::default();
    let app = App::new().max_connections(PERMITS).ws(Mixed(runs.clone()));
    let server = Arc::new(TestServer::start(app).await);
    let joiners = (0..30).map(|joiner| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            for number in (joiner..BAD_JOINS).step_by(30) {
                join_badly(&server, number).await;
                server.hub().publish("topic", "y".repeat(500));
                server.hub().broadcast("to all");
                if number % 50 == 0 {
                    server.hub().disconnect_topic("topic", 4009, "topic");
                }
            }
        })
    });
    for joiner in joiners.collect::<Vec<_>>() {
        joiner.await.expect("every joiner finishes without a panic");
    }
    within(async {
        let are_paired =
            |runs: &Runs| runs.opens.load(Ordering::SeqCst) == runs.closes.load(Ordering::SeqCst);
        while server.hub().connections() > 0 || !are_paired(&runs) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(server.hub().subscriber_count("topic").await.count, 0);
    let mut clients = Vec::new();
    for _ in 0..PERMITS {
        clients.push(server.connect_raw("/mixed?ends=well").await);
    }
}

/// Joins and leaves in one of 20 ways, selected by `number`.
async fn join_badly(server: &TestServer, number: usize) {
    let ends = ["well", "fails", "closes", "panics", "disconnects"][number % 5];
    let path = format!("/mixed?ends={ends}");
    let mut client = RawClient::connect_narrow(server.address(), &path).await;
    client.try_write(&masked(0x81, b"token")).await;
    match number / 5 % 4 {
        0 => client.reset(),
        1 => {
            for _ in 0..20 {
                if !client.try_write(&masked(0x81, &[b'z'; 3000])).await {
                    break;
                }
            }
            client.reset();
        }
        2 => {
            client
                .try_write(&masked(0x88, &1000u16.to_be_bytes()))
                .await;
        }
        _ => {
            client.read_frame().await;
            client.reset();
        }
    }
}
