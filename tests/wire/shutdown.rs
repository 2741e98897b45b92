//! The way out: everyone is told, every `close` runs, and it ends in time.

use std::time::{Duration, Instant};

use harpia::prelude::*;
use harpia_tests::{Events, TestServer, within};

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
    let told = tokio::spawn(async move {
        for mut client in clients {
            assert_eq!(client.text().await, "last words");
            assert_eq!(client.closed().await, (1001, "Server Shutdown".into()));
            client.close().await;
        }
    });
    server.hub().broadcast("last words");
    server.shut_down().await;
    assert!(within(told).await.is_ok());
    assert_eq!(events.rest().await, vec!["close 1001 Server Shutdown"; 10]);
}

#[tokio::test]
async fn the_server_accepts_no_connection_after_shutdown() {
    let server = TestServer::start(App::new().ws(Chat(Events::new()))).await;
    let address = server.address();
    server.shut_down().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_handler_that_never_returns_is_cancelled_after_the_shutdown_timeout() {
    struct Stuck(Events);
    struct Tells(Events);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.note("dropped");
        }
    }
    #[ws_route("/stuck")]
    impl Stuck {
        async fn message(&self) {
            let _tells = Tells(self.0.clone());
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
async fn a_close_handler_that_never_returns_does_not_keep_the_server() {
    struct Clings;
    #[ws_route("/clings")]
    impl Clings {
        fn open(&self, ws: &mut Socket) {
            ws.send("in");
        }
        async fn close(&self) {
            std::future::pending::<()>().await;
        }
    }
    let app = App::new()
        .ws(Clings)
        .shutdown_timeout(Duration::from_millis(100));
    let server = TestServer::start(app).await;
    let mut client = server.connect("/clings").await;
    assert_eq!(client.text().await, "in");
    server.shut_down().await;
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
    while hub.broadcast("anyone?") != harpia::SendStatus::Closed {
        tokio::task::yield_now().await;
    }
}
