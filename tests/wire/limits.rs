//! Limits: the size of a message, the message rate, and the number of connections.

use harpia::prelude::*;
use harpia_tests::{Events, TestServer};

struct Plain;

#[ws_route("/plain", broadcast = off)]
impl Plain {
    fn message(&self, ws: &mut Socket, message: Bytes) {
        ws.send(message.len().to_string());
    }
}

#[tokio::test]
async fn a_message_is_limited_to_64_kib_by_default() {
    let server = TestServer::start(App::new().ws(Plain)).await;
    let mut client = server.connect("/plain").await;
    client.send(&"x".repeat(64 * 1024)).await;
    assert_eq!(client.text().await, "65536");
    client.send(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn exceeding_the_message_rate_runs_error_and_closes_with_1008() {
    struct Paced(Events);
    #[ws_route("/paced", rate = "5/1h", broadcast = off)]
    impl Paced {
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(message);
        }
        fn error(&self, error: &harpia::Error) {
            self.0.note(error);
        }
    }
    let events = Events::new();
    let server = TestServer::start(App::new().ws(Paced(events.clone()))).await;
    let mut client = server.connect("/paced").await;
    for number in 0..5 {
        client.send(&number.to_string()).await;
        assert_eq!(client.text().await, number.to_string());
    }
    client.send("one too many").await;
    assert_eq!(client.closed().await, (1008, "Rate Limit Exceeded".into()));
    assert!(events.next().await.contains("Rate Limit Exceeded"));
}

#[tokio::test]
async fn the_message_rate_recovers_after_its_period() {
    struct Paced;
    #[ws_route("/paced", rate = "3/1s", ping = "500ms", broadcast = off)]
    impl Paced {
        fn message(&self, ws: &mut Socket, message: String) {
            ws.send(message);
        }
    }
    let server = TestServer::start(App::new().ws(Paced)).await;
    let mut client = server.connect_raw("/paced").await;
    for _ in 0..2 {
        for text in ["a", "b", "c"] {
            client.texts(&[text]).await;
            assert_eq!(client.read_frame().await.unwrap().text(), text);
        }
        // Pings measure the time: the third comes 1.5 s after the last message.
        for _ in 0..3 {
            assert_eq!(client.read_frame().await.unwrap().head, 0x89);
        }
    }
    client.texts(&["a", "b", "c", "one too many"]).await;
    assert_eq!(client.close_code().await, 1008);
}
