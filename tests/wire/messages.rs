//! Messages: the types that a handler can take and send, and input that does not parse.

use harpia::prelude::*;
use harpia::{Error, FromMessage};
use harpia_tests::{Events, Log, TestServer};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
struct Point {
    x: i32,
    y: i32,
}

struct Points(Events);

#[ws_route("/points")]
impl Points {
    fn message(&self, ws: &mut Socket, Json(point): Json<Point>) -> HandlerResult {
        ws.send_json(&Point {
            x: point.y,
            y: point.x,
        })?;
        Ok(())
    }

    fn error(&self, error: &Error) {
        self.0.note(format_args!("{error:#}"));
    }
}

struct Texts;

#[ws_route("/texts", broadcast = off)]
impl Texts {
    fn message(&self, ws: &mut Socket, message: String) {
        ws.send(format!("{message}!"));
    }
}

struct Raw;

#[ws_route("/raw", broadcast = off)]
impl Raw {
    fn message(&self, ws: &mut Socket, message: Message) {
        ws.send(message);
    }
}

struct Payload;

#[ws_route("/payload", broadcast = off)]
impl Payload {
    fn message(&self, ws: &mut Socket, message: Bytes) {
        ws.send(message);
    }
}

struct Forgiving;

#[ws_route("/forgiving", broadcast = off)]
impl Forgiving {
    fn message(&self, ws: &mut Socket, message: Result<Json<Point>, Error>) {
        match message {
            Ok(Json(Point { x, y })) => ws.send(format!("{}", x + y)),
            Err(error) => ws.send(format!("not a point: {}", error.close_code())),
        };
    }
}

async fn server() -> (TestServer, Events) {
    let events = Events::new();
    let points = Points(events.clone());
    let app = App::new()
        .ws(points)
        .ws(Texts)
        .ws(Raw)
        .ws(Payload)
        .ws(Forgiving);
    (TestServer::start(app).await, events)
}

#[tokio::test]
async fn text_stays_text_and_binary_stays_binary() {
    use tokio_tungstenite::tungstenite::Message as Theirs;
    let (server, _) = server().await;
    let mut client = server.connect("/raw").await;
    client.send("grün").await;
    assert_eq!(client.message().await, Theirs::text("grün"));
    client.send_binary(&[0, 159, 146, 150]).await;
    assert_eq!(
        client.message().await,
        Theirs::binary(vec![0, 159, 146, 150])
    );
    client.send("").await;
    assert_eq!(client.message().await, Theirs::text(""));
}

#[tokio::test]
async fn a_bytes_handler_gets_the_payload_of_a_text_message() {
    use tokio_tungstenite::tungstenite::Message as Theirs;
    let (server, _) = server().await;
    let mut client = server.connect("/payload").await;
    client.send("text").await;
    assert_eq!(
        client.message().await,
        Theirs::binary("text".as_bytes().to_vec())
    );
}

#[tokio::test]
async fn json_is_deserialized_and_serialized() {
    let (server, _) = server().await;
    let mut client = server.connect("/points").await;
    client.send(r#"{"x":1,"y":2}"#).await;
    assert_eq!(client.text().await, r#"{"x":2,"y":1}"#);
}

#[tokio::test]
async fn every_way_to_send_has_a_json_variant() {
    struct Feed;
    #[ws_route("/feed", broadcast = off)]
    impl Feed {
        fn open(&self, ws: &mut Socket) -> HandlerResult {
            ws.subscribe("feed");
            ws.send_json(&Point { x: 1, y: 1 })?;
            ws.peer().send_json(&Point { x: 2, y: 2 })?;
            Ok(())
        }
        fn message(&self, ws: &mut Socket) -> HandlerResult {
            ws.publish_json("feed", &Point { x: 3, y: 3 })?;
            ws.hub().publish_json("feed", &Point { x: 4, y: 4 })?;
            ws.hub().broadcast_json(&[5])?;
            Ok(())
        }
    }
    let server = TestServer::start(App::new().ws(Feed)).await;
    let mut one = server.connect("/feed").await;
    let mut two = server.connect("/feed").await;
    for client in [&mut one, &mut two] {
        assert_eq!(client.text().await, r#"{"x":1,"y":1}"#);
        assert_eq!(client.text().await, r#"{"x":2,"y":2}"#);
    }
    let (mut one, mut two) = (one.active().await, two.active().await);
    one.send("go").await;
    assert_eq!(two.text().await, r#"{"x":3,"y":3}"#);
    for client in [&mut one, &mut two] {
        assert_eq!(client.text().await, r#"{"x":4,"y":4}"#);
        assert_eq!(client.text().await, "[5]");
    }
}

#[tokio::test]
async fn a_serialization_error_closes_with_1011_and_appears_only_in_the_log() {
    struct Secretive;
    impl Serialize for Secretive {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("hunter2 is not for JSON"))
        }
    }
    struct Feed;
    #[ws_route("/feed", broadcast = off)]
    impl Feed {
        fn open(&self, ws: &mut Socket) -> harpia::Result {
            ws.send_json(&Secretive)?;
            Ok(())
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Feed)).await;
    let mut client = server.connect("/feed").await;
    assert_eq!(client.closed().await, (1011, String::new()));
    let error = "handler `open` failed: the value cannot be serialized as JSON: \
                 hunter2 is not for JSON";
    let text = log.text();
    assert!(text.contains(error), "{text}");
}

#[tokio::test]
async fn text_that_does_not_parse_runs_error_and_closes_with_1007_without_a_broadcast() {
    let (server, events) = server().await;
    let (mut one, mut two) = (server.join("/points").await, server.join("/points").await);
    one.send("not json").await;
    assert_eq!(one.closed().await.0, 1007);
    assert!(events.next().await.contains("line 1 column"));
    server.hub().broadcast("next");
    assert_eq!(two.text().await, "next");
}

#[tokio::test]
async fn the_log_explains_invalid_json_without_quoting_it() {
    struct Feed;
    #[ws_route("/feed", broadcast = off)]
    impl Feed {
        fn message(&self, ws: &mut Socket, Json(point): Json<Point>) {
            ws.send(point.x.to_string());
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Feed)).await;
    for (json, error) in [
        (r#""hunter2""#, "invalid data at line 1 column"),
        (r#"{"x":"hunter2"}"#, "invalid data at `x`, line 1 column"),
        (r#"{"x":1,"hunter2":2}"#, "missing field `y`"),
    ] {
        let mut client = server.connect("/feed").await;
        client.send(json).await;
        assert_eq!(client.closed().await, (1007, "Invalid Message".into()));
        let text = log.text();
        assert!(text.contains(error), "{error:?} is missing: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_token_of_the_wrong_type_does_not_reach_the_log() {
    #[derive(serde::Deserialize)]
    struct Login {
        token: String,
    }
    struct ByJson;
    #[ws_route("/by-json")]
    impl ByJson {
        async fn auth(&self, ws: &mut Socket, Json(first): Json<Login>) -> HandlerResult {
            ws.send(first.token);
            Ok(())
        }
    }
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(ByJson)).await;
    for first in [
        r#""hunter2""#,
        r#"{"token":["hunter2"]}"#,
        r#"{"token":"hunter2"#,
    ] {
        let mut client = server.connect("/by-json").await;
        client.send(first).await;
        assert_eq!(client.closed().await, (1008, "Invalid Token".into()));
    }
    let text = log.text();
    assert!(text.contains("invalid data at line 1 column"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_binary_message_for_a_text_handler_closes_with_1003() {
    let (server, events) = server().await;
    let mut client = server.connect("/points").await;
    client.send_binary(b"{}").await;
    assert_eq!(client.closed().await.0, 1003);
    assert!(events.next().await.contains("binary"));
    let mut client = server.connect("/texts").await;
    client.send_binary(b"hello").await;
    assert_eq!(client.closed().await.0, 1003);
}

#[tokio::test]
async fn a_handler_that_takes_a_result_handles_invalid_input_itself() {
    let (server, _) = server().await;
    let mut client = server.connect("/forgiving").await;
    client.send("no").await;
    assert_eq!(client.text().await, "not a point: 1007");
    client.send_binary(&[1]).await;
    assert_eq!(client.text().await, "not a point: 1003");
    client.send(r#"{"x":1,"y":2}"#).await;
    assert_eq!(client.text().await, "3");
}

#[tokio::test]
async fn a_custom_type_can_implement_from_message() {
    struct Number(u64);
    impl FromMessage for Number {
        fn from_message(message: Message) -> Result<Self, Error> {
            let text = String::from_message(message)?;
            text.parse().map(Self).map_err(Error::invalid_message)
        }
    }
    struct Doubles;
    #[ws_route("/doubles", broadcast = off)]
    impl Doubles {
        fn message(&self, ws: &mut Socket, Number(number): Number) {
            ws.send((number * 2).to_string());
        }
    }
    let server = TestServer::start(App::new().ws(Doubles)).await;
    let mut client = server.connect("/doubles").await;
    client.send("21").await;
    assert_eq!(client.text().await, "42");
    client.send("many").await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn a_fragmented_message_with_a_ping_in_between_arrives_whole() {
    let (server, _) = server().await;
    let mut client = server.connect_raw("/raw").await;
    client.frame(0x01, b"gr\xc3").await;
    client.frame(0x89, b"are you there?").await;
    client.frame(0x00, b"\xbc").await;
    client.frame(0x80, b"n").await;
    let pong = client.read_frame().await.unwrap();
    assert_eq!((pong.head, pong.text()), (0x8a, "are you there?".into()));
    let message = client.read_frame().await.unwrap();
    assert_eq!((message.head, message.text()), (0x81, "grün".into()));
}

#[tokio::test]
async fn messages_of_every_length_encoding_are_echoed_whole() {
    let (server, _) = server().await;
    let mut client = server.connect("/raw").await;
    for size in [0, 1, 125, 126, 127, 65_535, 65_536] {
        let text = "x".repeat(size);
        client.send(&text).await;
        assert_eq!(client.text().await, text, "{size}");
    }
}
