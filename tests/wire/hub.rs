//! `Hub` and `Peer`: counting connections, sending to them and closing them from outside their
//! handlers.

use harpia::prelude::*;
use harpia::{ConnectionId, SendStatus};
use harpia_tests::{Client, Events, TestServer};

struct Listens;

#[ws_route("/listens")]
impl Listens {
    fn open(&self, ws: &mut Socket) {
        ws.subscribe("topic");
        ws.send("listening");
    }
}

async fn listener(server: &TestServer) -> Client {
    let mut client = server.connect("/listens").await;
    assert_eq!(client.text().await, "listening");
    client.active().await
}

/// Returns the ID of the only subscriber.
async fn only_subscriber(server: &TestServer) -> ConnectionId {
    let subscribers = server.hub().subscribers("topic").await;
    assert_eq!(subscribers.ids.len(), 1);
    assert!(subscribers.missing.is_empty());
    subscribers.ids[0]
}

#[tokio::test]
async fn hub_broadcast_reaches_every_connection_and_connections_counts_them() {
    let server = TestServer::start(App::new().ws(Listens)).await;
    assert_eq!(server.hub().connections(), 0);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(listener(&server).await);
    }
    assert_eq!(server.hub().connections(), 3);
    assert_eq!(server.hub().broadcast("to all"), SendStatus::Sent);
    for client in &mut clients {
        assert_eq!(client.text().await, "to all");
    }
}

#[tokio::test]
async fn publish_except_skips_one_subscriber() {
    let server = TestServer::start(App::new().ws(Listens)).await;
    let mut skipped = listener(&server).await;
    let id = only_subscriber(&server).await;
    let mut other = listener(&server).await;
    server.hub().publish_except("topic", "for the other", id);
    server.hub().publish("topic", "for both");
    assert_eq!(skipped.text().await, "for both");
    assert_eq!(other.text().await, "for the other");
    assert_eq!(other.text().await, "for both");
}

#[tokio::test]
async fn hub_disconnect_closes_only_the_connection_with_that_id() {
    let server = TestServer::start(App::new().ws(Listens)).await;
    let mut client = listener(&server).await;
    let id = only_subscriber(&server).await;
    let mut other = listener(&server).await;
    server.hub().disconnect(id, 4003, "banned");
    assert_eq!(client.closed().await, (4003, "banned".into()));
    server.hub().broadcast("still here");
    assert_eq!(other.text().await, "still here");
}

/// Returns a server, the ID of a closed connection, and a client that connected later.
async fn after_a_close() -> (TestServer, ConnectionId, Client) {
    let server = TestServer::start(App::new().ws(Listens)).await;
    let client = listener(&server).await;
    let closed = only_subscriber(&server).await;
    client.close().await;
    while server.hub().connections() > 0 {
        tokio::task::yield_now().await;
    }
    let later = listener(&server).await;
    (server, closed, later)
}

#[tokio::test]
async fn the_id_of_a_closed_connection_disconnects_no_later_connection() {
    let (server, closed, mut later) = after_a_close().await;
    server.hub().disconnect(closed, 4003, "banned");
    server.hub().broadcast("still here");
    assert_eq!(later.text().await, "still here");
}

#[tokio::test]
async fn the_id_of_a_closed_connection_excludes_no_later_connection() {
    let (server, closed, mut later) = after_a_close().await;
    server
        .hub()
        .publish_except("topic", "for the later", closed);
    assert_eq!(later.text().await, "for the later");
}

#[tokio::test]
async fn a_peer_sends_and_closes_from_another_task_and_outlives_its_connection() {
    struct Ticks(Events);
    #[ws_route("/ticks", broadcast = off)]
    impl Ticks {
        fn open(&self, ws: &mut Socket) {
            let (peer, events) = (ws.peer(), self.0.clone());
            tokio::spawn(async move {
                assert!(peer.send("tick").is_accepted());
                peer.close(4000, "done");
                while peer.is_open() {
                    tokio::task::yield_now().await;
                }
                events.note(format_args!("{:?}", peer.send("tock")));
            });
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Ticks(events.clone()))).await;
    let mut client = server.connect("/ticks").await;
    assert_eq!(client.text().await, "tick");
    assert_eq!(client.closed().await, (4000, "done".into()));
    assert_eq!(events.next().await, "Closed");
}
