//! Shutdown: every client gets a close frame, every `close` handler runs, and it ends in time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use harpia::SendStatus;
use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{Events, RawClient, TestServer, within};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

struct Chat(Events);

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        ws.send("in");
    }

    async fn close(&self, code: CloseCode, reason: &str) {
        tokio::task::yield_now().await;
        self.0.note(format_args!("close {code} {reason}"));
    }
}

#[tokio::test]
async fn shutdown_closes_every_connection_with_1001_and_runs_every_close_handler() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Chat(events.clone()))).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = server.connect("/chat").await;
        assert_eq!(client.text().await, "in");
        clients.push(client.active().await);
    }
    let closed = tokio::spawn(async move {
        for mut client in clients {
            assert_eq!(client.text().await, "last words");
            assert_eq!(client.closed().await, (1001, "Server Shutdown".into()));
            client.close().await;
        }
    });
    server.hub().broadcast("last words");
    server.shut_down().await;
    assert!(within(closed).await.is_ok());
    assert_eq!(events.rest().await, vec!["close 1001 Server Shutdown"; 10]);
}

#[tokio::test]
async fn the_server_accepts_no_connection_after_shutdown() {
    let server = TestServer::start(App::new().ws(Chat(Events::new()))).await;
    let address = server.address();
    server.shut_down().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_upgrade_in_progress_at_shutdown_closes_with_1001_without_calling_open() {
    static GATE: Semaphore = Semaphore::const_new(0);
    static ARRIVED: Semaphore = Semaphore::const_new(0);
    struct Slow;
    impl FromHandshake for Slow {
        async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
            ARRIVED.add_permits(1);
            GATE.acquire().await.unwrap().forget();
            Ok(Self)
        }
    }
    struct Route(Events);
    #[ws_route("/route", data = Slow)]
    impl Route {
        fn open(&self) {
            self.0.note("open");
        }
        fn close(&self) {
            self.0.note("close");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Route(events.clone()))).await;
    let address = server.address();
    let client = tokio::spawn(async move { RawClient::connect(address, "/route").await });
    within(ARRIVED.acquire()).await.unwrap().forget();
    server.hub().shutdown();
    GATE.add_permits(1);
    let mut client = within(client).await.unwrap();
    assert_eq!(client.close_code().await, 1001);
    drop(client);
    server.shut_down().await;
    assert_eq!(events.rest().await, [""; 0]);
}

#[tokio::test]
async fn a_handler_that_never_returns_is_cancelled_after_the_shutdown_timeout() {
    struct Stuck(Events);
    struct NotesDrop(Events);
    impl Drop for NotesDrop {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    #[ws_route("/stuck")]
    impl Stuck {
        async fn message(&self) {
            let _notes_drop = NotesDrop(self.0.clone());
            self.0.note("stuck");
            std::future::pending::<()>().await;
        }
        fn close(&self, code: CloseCode) {
            self.0.note(format_args!("close {code}"));
        }
    }
    let events = Events::new();
    let app = App::new()
        .ws(Stuck(events.clone()))
        .shutdown_timeout(Duration::from_millis(300));
    let server = TestServer::start(app).await;
    let mut client = server.connect("/stuck").await;
    client.send("go").await;
    assert_eq!(events.next().await, "stuck");
    let before = Instant::now();
    server.shut_down().await;
    assert!(before.elapsed() >= Duration::from_millis(300));
    assert_eq!(events.next().await, "dropped");
    assert_eq!(events.next().await, "close 1001");
}

#[tokio::test]
async fn a_connection_whose_close_handler_never_returns_is_dropped_at_shutdown() {
    static EVENTS: OnceLock<Events> = OnceLock::new();
    struct NotesDrop;
    impl FromHandshake for NotesDrop {
        async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
            Ok(Self)
        }
    }
    impl Drop for NotesDrop {
        fn drop(&mut self) {
            EVENTS.get().unwrap().note("data dropped");
        }
    }
    struct Stuck;
    #[ws_route("/stuck", data = NotesDrop)]
    impl Stuck {
        async fn close(&self) {
            std::future::pending::<()>().await;
        }
    }
    let events = Events::new();
    assert!(EVENTS.set(events.clone()).is_ok());
    let app = App::new()
        .ws(Stuck)
        .shutdown_timeout(Duration::from_millis(100));
    let server = TestServer::start(app).await;
    let silent = server.connect_raw("/stuck").await.active().await;
    // The client never closes, and `close` still runs when the shutdown ends.
    server.shut_down().await;
    assert_eq!(events.next().await, "data dropped");
    drop(silent);
}

#[tokio::test]
async fn dropping_serve_closes_the_connections_and_runs_their_close_handlers() {
    struct Route(Events);
    #[ws_route("/route")]
    impl Route {
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let app = App::new().ws(Route(events.clone()));
    let server = app.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().tcp().expect("a TCP address");
    let serving = tokio::spawn(server.serve());
    let mut client = RawClient::connect(address, "/route").await.active().await;
    serving.abort();
    assert_eq!(client.close_code().await, 1001);
    assert_eq!(events.next().await, "1001");
}

#[tokio::test]
async fn dropping_a_server_that_never_served_closes_its_hub() {
    let server = App::new()
        .ws(Chat(Events::new()))
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let hub = server.handle();
    drop(server);
    while hub.broadcast("anyone?") != SendStatus::Closed {
        tokio::task::yield_now().await;
    }
}
