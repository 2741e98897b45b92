//! Ends that are awkward: two causes at once, in the midst of an upgrade, without a server.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use harpia::extract::{Handshake, Rejection};
use harpia::prelude::*;
use harpia_tests::{Events, RawClient, TestServer, within};
use tokio::sync::Semaphore;

struct Greets;

#[ws_route("/greets")]
impl Greets {
    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

#[tokio::test]
async fn the_first_close_decides_even_if_the_handler_fails_behind_it() {
    struct Both(Events);
    #[ws_route("/both")]
    impl Both {
        fn message(&self, ws: &mut Socket) -> HandlerResult {
            ws.close(4000, "bye");
            Err("too late".into())
        }
        fn close(&self, code: CloseCode, reason: &str) {
            self.0.note(format_args!("{code} {reason}"));
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Both(events.clone()))).await;
    let mut client = server.connect("/both").await;
    client.send("x").await;
    assert_eq!(client.closed().await, (4000, "bye".into()));
    assert_eq!(events.next().await, "4000 bye");
}

/// Ends in several ways at once.
struct Twice(Events);

#[ws_route("/twice")]
impl Twice {
    fn open(&self, ws: &mut Socket) {
        ws.send("in");
    }
    fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        match &*message {
            "close and fail" => {
                ws.close(4000, "bye");
                Err("too late")?;
            }
            "close and panic" => {
                ws.close(4000, "bye");
                panic!("too late");
            }
            "fail" => Err("it failed")?,
            "shutdown" => {
                ws.hub().disconnect(ws.id(), 4000, "bye");
                ws.hub().shutdown();
            }
            "all" => {
                ws.hub().shutdown();
                ws.hub().disconnect(ws.id(), 4000, "bye");
                ws.peer().close(4001, "bye");
                ws.close(4002, "bye");
                Err("too late")?;
            }
            _ => ws.close(4000, "bye"),
        }
        Ok(())
    }
    fn close(&self, ws: &mut Socket, code: CloseCode) {
        ws.close(4999, "again");
        ws.hub().disconnect(ws.id(), 4999, "again");
        self.0.note(code);
    }
}

#[tokio::test]
async fn close_runs_exactly_once_when_several_causes_coincide() {
    for (message, expected) in [
        ("close", &["4000"][..]),
        ("close and fail", &["4000"]),
        ("close and panic", &["4000"]),
        ("fail", &["1011"]),
        // What the hub is asked for comes by its thread, and the peer's close may be first.
        ("shutdown", &["4000", "1001", "4005"]),
        ("all", &["4001", "1001"]),
    ] {
        // Behind the message comes nothing, or the peer's own close with 4005.
        for behind in [&b""[..], &[0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa5]] {
            let events = Events::new();
            let server = TestServer::start(App::new().ws(Twice(events.clone()))).await;
            let mut client = server.connect_raw("/twice").await;
            assert_eq!(client.read_frame().await.unwrap().text(), "in");
            let mut bytes = vec![0x81, 0x80 | message.len() as u8, 0, 0, 0, 0];
            bytes.extend_from_slice(message.as_bytes());
            bytes.extend_from_slice(behind);
            client.write(&bytes).await;
            let told = client.close_code().await.to_string();
            assert!(expected.contains(&&*told), "{message}: {told}");
            drop(client);
            server.shut_down().await;
            assert_eq!(events.rest().await, [told], "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_runs_exactly_once_when_client_and_server_close_together() {
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Twice(events.clone()))).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = server.connect_raw("/twice").await;
        assert_eq!(client.read_frame().await.unwrap().text(), "in");
        clients.push(client);
    }
    let hub = server.hub().clone();
    let shutting_down = tokio::task::spawn_blocking(move || hub.shutdown());
    for client in &mut clients {
        client
            .try_write(&[0x88, 0x82, 0, 0, 0, 0, 0x0f, 0xa5])
            .await;
    }
    within(shutting_down).await.unwrap();
    let mut told = Vec::new();
    for client in &mut clients {
        told.push(client.close_code().await.to_string());
    }
    drop(clients);
    server.shut_down().await;
    let mut heard = events.rest().await;
    // Which of the two was first is left open, but both sides are told the same.
    told.sort();
    heard.sort();
    assert_eq!(heard, told);
    assert!(
        told.iter().all(|code| code == "1001" || code == "4005"),
        "{told:?}"
    );
}

/// Closes itself, and goes on until the gate opens.
struct Lingers(Arc<Semaphore>, Events);

#[ws_route("/lingers")]
impl Lingers {
    async fn message(&self, ws: &mut Socket, message: String) {
        match &*message {
            "self" => ws.close(4000, "bye"),
            "peer" => ws.peer().close(4000, "bye"),
            _ => ws.hub().disconnect(ws.id(), 4000, "bye"),
        }
        self.1.note("closing");
        drop(self.0.acquire().await);
    }
}

#[tokio::test]
async fn a_closing_connection_receives_no_broadcast_and_is_not_counted() {
    for how in ["self", "peer", "hub"] {
        let (gate, events) = (Arc::new(Semaphore::new(0)), Events::new());
        let app = App::new()
            .ws(Lingers(gate.clone(), events.clone()))
            .ws(Greets);
        let server = TestServer::start(app).await;
        let mut other = server.connect("/greets").await;
        assert_eq!(other.text().await, "welcome");
        let mut other = other.active().await;
        let mut client = server.join("/lingers").await;
        client.send(how).await;
        assert_eq!(events.next().await, "closing");
        server.hub().broadcast("late");
        assert_eq!(other.text().await, "late", "{how}");
        assert_eq!(server.hub().connections(), 1, "{how}");
        gate.add_permits(1);
        assert_eq!(client.closed().await, (4000, "bye".into()), "{how}");
    }
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
    struct Late(Events);
    #[ws_route("/late", data = Slow)]
    impl Late {
        fn open(&self) {
            self.0.note("open");
        }
        fn close(&self) {
            self.0.note("close");
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Late(events.clone()))).await;
    let address = server.address();
    let client = tokio::spawn(async move { RawClient::connect(address, "/late").await });
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
async fn dropping_serve_closes_the_connections_and_runs_their_close_handlers() {
    struct Told(Events);
    #[ws_route("/told")]
    impl Told {
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let app = App::new().ws(Told(events.clone()));
    let server = app.bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr();
    let serving = tokio::spawn(server.serve());
    let mut client = RawClient::connect(address, "/told").await.active().await;
    serving.abort();
    assert_eq!(client.close_code().await, 1001);
    assert_eq!(events.next().await, "1001");
}

#[tokio::test]
async fn a_silent_client_with_a_pending_close_handler_does_not_outlive_the_server() {
    static EVENTS: OnceLock<Events> = OnceLock::new();
    struct Tells;
    impl FromHandshake for Tells {
        async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
            Ok(Self)
        }
    }
    impl Drop for Tells {
        fn drop(&mut self) {
            EVENTS.get().unwrap().note("data dropped");
        }
    }
    struct Late;
    #[ws_route("/late", data = Tells)]
    impl Late {
        async fn close(&self) {
            std::future::pending::<()>().await;
        }
    }
    let events = Events::new();
    assert!(EVENTS.set(events.clone()).is_ok());
    let app = App::new()
        .ws(Late)
        .shutdown_timeout(Duration::from_millis(100));
    let server = TestServer::start(app).await;
    let silent = server.connect_raw("/late").await.active().await;
    // Its last patience is over while the connection still lingers.
    server.shut_down().await;
    assert_eq!(events.next().await, "data dropped");
    drop(silent);
}

#[tokio::test]
async fn close_runs_even_if_dropping_a_cancelled_handler_panics() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    struct Holds(Events);
    #[ws_route("/holds")]
    impl Holds {
        async fn message(&self) {
            let _bomb = Bomb;
            self.0.note("in");
            std::future::pending::<()>().await;
        }
        fn close(&self, code: CloseCode) {
            self.0.note(code);
        }
    }
    let events = Events::new();
    let app = App::new()
        .ws(Holds(events.clone()))
        .shutdown_timeout(Duration::from_millis(100));
    let server = TestServer::start(app).await;
    let mut client = server.connect("/holds").await;
    client.send("x").await;
    assert_eq!(events.next().await, "in");
    server.shut_down().await;
    assert_eq!(events.rest().await, ["1001"]);
}
