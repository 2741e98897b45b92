//! The automatic broadcast: which clients receive a message, when, and in which order.

use std::sync::Arc;

use harpia::prelude::*;
use harpia_tests::{Client, Events, TestServer};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message as Theirs;

struct Chat;

#[ws_route("/chat", rate = off)]
impl Chat {
    fn message(&self) {}
}

struct Greets;

#[ws_route("/greets")]
impl Greets {
    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

async fn joined(server: &TestServer, path: &str, count: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(server.join(path).await);
    }
    clients
}

/// Connects a client to another route and waits until it is active.
async fn listener(server: &TestServer) -> Client {
    let mut client = server.connect("/greets").await;
    assert_eq!(client.text().await, "welcome");
    client.active().await
}

#[tokio::test]
async fn a_message_reaches_every_other_client_but_not_its_sender() {
    let server = TestServer::start(App::new().ws(Chat)).await;
    let mut clients = joined(&server, "/chat", 4).await;
    clients[1].send("from one").await;
    for other in [0, 2, 3] {
        assert_eq!(clients[other].text().await, "from one");
    }
    clients[0].send("from zero").await;
    // Client 1 sent first, so its own message would arrive before this one.
    assert_eq!(clients[1].text().await, "from zero");
}

#[tokio::test]
async fn a_binary_message_is_broadcast_as_binary() {
    let server = TestServer::start(App::new().ws(Chat)).await;
    let mut clients = joined(&server, "/chat", 2).await;
    let bytes = [0, 255, 0xd8, 0x00, b'"'];
    clients[0].send_binary(&bytes).await;
    assert_eq!(clients[1].message().await, Theirs::binary(bytes.to_vec()));
}

#[tokio::test]
async fn by_default_clients_of_other_routes_receive_the_broadcast() {
    let server = TestServer::start(App::new().ws(Chat).ws(Greets)).await;
    let mut other = listener(&server).await;
    let mut client = server.connect("/chat").await;
    client.send("hello").await;
    assert_eq!(other.text().await, "hello");
}

#[tokio::test]
async fn broadcast_route_reaches_only_clients_of_the_same_route() {
    struct Room;
    #[ws_route("/room", broadcast = route)]
    impl Room {
        fn message(&self) {}
    }
    let server = TestServer::start(App::new().ws(Room).ws(Greets)).await;
    let mut outside = listener(&server).await;
    let mut inside = joined(&server, "/room", 2).await;
    inside[0].send("secret").await;
    assert_eq!(inside[1].text().await, "secret");
    server.hub().broadcast("for all");
    assert_eq!(outside.text().await, "for all");
}

#[tokio::test]
async fn broadcast_off_sends_the_message_to_no_other_client() {
    struct Silent;
    #[ws_route("/silent", broadcast = off)]
    impl Silent {
        fn message(&self, ws: &mut Socket) {
            ws.send("noted");
        }
    }
    let server = TestServer::start(App::new().ws(Silent).ws(Greets)).await;
    let mut other = listener(&server).await;
    let mut client = server.connect("/silent").await;
    client.send("hello").await;
    assert_eq!(client.text().await, "noted");
    server.hub().broadcast("next");
    assert_eq!(other.text().await, "next");
}

#[tokio::test]
async fn the_apps_broadcast_scope_applies_unless_the_route_sets_its_own() {
    struct Loud;
    #[ws_route("/loud", broadcast = server)]
    impl Loud {
        fn message(&self) {}
    }
    let app = App::new()
        .broadcast(harpia::Scope::Off)
        .ws(Chat)
        .ws(Loud)
        .ws(Greets);
    let server = TestServer::start(app).await;
    let mut other = listener(&server).await;
    let mut silent = server.connect("/chat").await;
    silent.send("not broadcast").await;
    silent.close().await;
    let mut loud = server.connect("/loud").await;
    loud.send("broadcast").await;
    assert_eq!(other.text().await, "broadcast");
}

#[tokio::test]
async fn the_handlers_result_passes_replaces_or_skips_the_broadcast() {
    struct Filter;
    #[ws_route("/filter")]
    impl Filter {
        async fn message(&self, message: String) -> Result<Broadcast, String> {
            match &*message {
                "skip" => Ok(Broadcast::Skip),
                "replace" => Ok(Broadcast::Replace(Bytes::from_static(b"replaced").into())),
                "fail" => Err("it failed".into()),
                _ => Ok(Broadcast::Pass),
            }
        }
    }
    let server = TestServer::start(App::new().ws(Filter)).await;
    let mut clients = joined(&server, "/filter", 2).await;
    for message in ["skip", "replace", "pass"] {
        clients[0].send(message).await;
    }
    assert_eq!(
        clients[1].message().await,
        Theirs::binary(b"replaced".to_vec())
    );
    assert_eq!(clients[1].text().await, "pass");
    clients[0].send("fail").await;
    assert_eq!(clients[0].closed().await.0, 1011);
    server.hub().broadcast("after");
    assert_eq!(clients[1].text().await, "after");
}

#[tokio::test]
async fn a_message_whose_handler_closes_the_connection_is_not_broadcast() {
    struct Polite;
    #[ws_route("/polite")]
    impl Polite {
        async fn message(&self, ws: &mut Socket, message: String) {
            match &*message {
                "bye" => ws.close(1000, "bye"),
                _ => tokio::task::yield_now().await,
            }
        }
    }
    let server = TestServer::start(App::new().ws(Polite)).await;
    let mut clients = joined(&server, "/polite", 2).await;
    clients[0].send("bye").await;
    assert_eq!(clients[0].closed().await, (1000, "bye".into()));
    server.hub().broadcast("next");
    assert_eq!(clients[1].text().await, "next");
}

#[tokio::test]
async fn a_message_is_broadcast_after_its_async_handler_returns() {
    struct Checks(Arc<Semaphore>, Events);
    #[ws_route("/checks")]
    impl Checks {
        async fn message(&self, message: String) {
            if message == "wait" {
                self.1.note("checking");
                drop(self.0.acquire().await);
            }
        }
    }
    let (gate, events) = (Arc::new(Semaphore::new(0)), Events::new());
    let checks = Checks(Arc::clone(&gate), events.clone());
    let server = TestServer::start(App::new().ws(checks)).await;
    let mut clients = joined(&server, "/checks", 2).await;
    clients[0].send("wait").await;
    assert_eq!(events.next().await, "checking");
    server.hub().broadcast("first");
    assert_eq!(clients[1].text().await, "first");
    gate.add_permits(1);
    assert_eq!(clients[1].text().await, "wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_clients_receive_broadcasts_in_one_order_that_keeps_each_senders_order() {
    const SENDERS: usize = 4;
    const EACH: usize = 300;
    let server = TestServer::start(App::new().ws(Chat).ws(Greets)).await;
    let mut readers = Vec::new();
    for _ in 0..3 {
        let reader = listener(&server).await;
        readers.push(reader);
    }
    let mut sending = Vec::new();
    for sender in 0..SENDERS {
        let mut client = server.connect("/chat").await;
        sending.push(tokio::spawn(async move {
            for number in 0..EACH {
                client.send(&format!("{sender} {number}")).await;
            }
            client
        }));
    }
    let mut orders = Vec::new();
    for reader in &mut readers {
        let mut order = Vec::new();
        for _ in 0..SENDERS * EACH {
            order.push(reader.text().await);
        }
        orders.push(order);
    }
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0], orders[2]);
    for sender in 0..SENDERS {
        let prefix = format!("{sender} ");
        let own = orders[0]
            .iter()
            .filter_map(|text| text.strip_prefix(&prefix));
        assert!(
            own.eq((0..EACH)
                .map(|number| number.to_string())
                .collect::<Vec<_>>())
        );
    }
    for task in sending {
        assert!(task.await.is_ok());
    }
}

#[tokio::test]
async fn a_send_before_a_broadcast_arrives_before_it() {
    struct Answers;
    #[ws_route("/answers", rate = off)]
    impl Answers {
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(format!("answer to {message}"));
            ws.hub().broadcast(format!("news of {message}"));
        }
    }
    let server = TestServer::start(App::new().ws(Answers)).await;
    let mut client = server.connect("/answers").await;
    for number in 0..200 {
        client.send(&number.to_string()).await;
        assert_eq!(client.text().await, format!("answer to {number}"));
        assert_eq!(client.text().await, format!("news of {number}"));
    }
}
