//! Routing: which route serves a path, and requests that no route serves.

use std::convert::Infallible;

use bytes::Bytes;
use harpia::prelude::*;
use harpia::{Error, HttpRequest, Route};
use harpia_tests::TestServer;
use http_body_util::Full;
use tower::service_fn;

struct Fixed;

#[ws_route("/rooms/lobby")]
impl Fixed {
    fn open(&self, socket: &mut Socket) {
        socket.send("the lobby");
    }
}

struct Room;

#[ws_route("/rooms/{room}")]
impl Room {
    fn open(&self, socket: &mut Socket, room: &str) {
        socket.send(format!("room {room}"));
    }
}

struct Other;

#[ws_route("/rooms/{name}")]
impl Other {
    fn message(&self) {}
}

struct Numbered;

#[ws_route("/games/{game}/{player}")]
impl Numbered {
    fn open(&self, socket: &mut Socket, game: u32, player: String) {
        socket.send(format!("{player} in {game}"));
    }

    fn message(&self, socket: &mut Socket, message: String, game: &u32) {
        socket.send(format!("{message} in {game}"));
    }
}

harpia::routes![Fixed, Room, Numbered];

async fn server() -> TestServer {
    TestServer::start(App::new().merge(routes(Fixed, Room, Numbered))).await
}

#[tokio::test]
async fn a_fixed_segment_wins_over_a_parameter() {
    let server = server().await;
    assert_eq!(
        server.connect("/rooms/lobby").await.text().await,
        "the lobby"
    );
    assert_eq!(
        server.connect("/rooms/kitchen").await.text().await,
        "room kitchen"
    );
}

#[tokio::test]
async fn a_parameter_is_percent_decoded_once() {
    let server = server().await;
    for (path, value) in [
        ("/rooms/a%20b", "room a b"),
        ("/rooms/a%2Fb", "room a/b"),
        ("/rooms/a%252Fb", "room a%2Fb"),
        ("/rooms/gr%C3%BCn", "room grün"),
    ] {
        assert_eq!(server.connect(path).await.text().await, value);
    }
}

#[tokio::test]
async fn any_handler_can_take_typed_path_parameters() {
    let server = server().await;
    let mut client = server.connect("/games/7/ada").await;
    assert_eq!(client.text().await, "ada in 7");
    client.send("move").await;
    assert_eq!(client.text().await, "move in 7");
}

#[tokio::test]
async fn a_parameter_that_does_not_parse_is_404_before_the_upgrade() {
    let server = server().await;
    let (status, text) = server.refused("/games/seven/ada", &[]).await;
    assert_eq!(status, 404);
    assert!(text.contains("game"), "{text}");
    assert_eq!(server.refused("/rooms/%FF", &[]).await.0, 404);
}

#[tokio::test]
async fn empty_missing_and_extra_segments_are_404() {
    let server = server().await;
    for path in [
        "/rooms",
        "/rooms/",
        "/rooms/a/b",
        "/rooms//",
        "/games/7/",
        "//rooms/a",
    ] {
        assert_eq!(server.refused(path, &[]).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn the_query_does_not_affect_routing() {
    let server = server().await;
    assert_eq!(
        server.connect("/rooms/a?room=b").await.text().await,
        "room a"
    );
}

#[tokio::test]
async fn nested_routes_are_served_only_under_their_prefix() {
    let inner = Router::new()
        .ws(Room)
        .nest("/deep", Router::new().ws(Fixed));
    let server = TestServer::start(App::new().nest("/api", inner)).await;
    assert_eq!(server.connect("/api/rooms/a").await.text().await, "room a");
    assert_eq!(
        server.connect("/api/deep/rooms/lobby").await.text().await,
        "the lobby"
    );
    assert_eq!(server.refused("/rooms/a", &[]).await.0, 404);
}

async fn error_of(app: App) -> Error {
    match app.bind("127.0.0.1:0").await {
        Err(error) => error,
        Ok(_) => panic!("the app builds"),
    }
}

#[tokio::test]
async fn two_routes_that_match_the_same_paths_are_an_error_that_names_both() {
    let error = error_of(App::new().ws(Room).ws(Other)).await.to_string();
    assert!(
        error.contains("/rooms/{room}") && error.contains("/rooms/{name}"),
        "{error}"
    );
}

#[tokio::test]
async fn two_routes_that_collide_through_a_prefix_are_an_error() {
    struct Long;
    #[ws_route("/api/rooms/{id}")]
    impl Long {
        fn message(&self) {}
    }
    let app = App::new().ws(Long).nest("/api", Router::new().ws(Room));
    let error = error_of(app).await;
    assert!(matches!(error, Error::DuplicateRoute { .. }), "{error}");
}

#[tokio::test]
async fn a_prefix_with_a_parameter_is_an_error() {
    let error = error_of(App::new().nest("/{tenant}", Router::new().ws(Room)))
        .await
        .to_string();
    assert!(error.contains("{tenant}"), "{error}");
}

#[tokio::test]
async fn an_empty_prefix_is_an_error_that_names_merge() {
    let app = App::new().nest("", Router::new().ws(Room));
    let error = error_of(app).await.to_string();
    assert_eq!(
        error,
        "`nest` got an empty prefix: use `merge` to add routes without one"
    );
    let error = error_of(App::new().nest("api", Router::new())).await;
    assert_eq!(error.to_string(), "prefix `api` must start with `/`");
}

#[tokio::test]
async fn the_fallback_serves_pages_next_to_the_routes() {
    let pages = service_fn(|request: HttpRequest| async move {
        let text = format!("page {}", request.uri().path());
        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(text))))
    });
    let server = TestServer::start(App::new().ws(Room).fallback(pages)).await;
    let answer = server
        .request("GET /about HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("page /about"), "{answer}");
    assert!(answer.contains("content-length: 11"), "{answer}");
    assert_eq!(server.connect("/rooms/a").await.text().await, "room a");
}

#[tokio::test]
async fn a_path_parameter_that_is_not_utf8_is_404_even_with_a_fallback() {
    let pages = service_fn(|_: HttpRequest| async move {
        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from("a page"))))
    });
    let server = TestServer::start(App::new().ws(Room).fallback(pages)).await;
    assert_eq!(server.refused("/rooms/%FF", &[]).await.0, 404);
    let plain = "GET /rooms/a%C3 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = server.request(plain).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    // The fallback still serves such a path if no route matches it.
    let page = "GET /pages/%FF HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = server.request(page).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_failing_fallback_is_a_500_that_reveals_nothing() {
    let pages = service_fn(|_: HttpRequest| async move {
        Err::<http::Response<Full<Bytes>>, _>("the password is wrong")
    });
    let server = TestServer::start(App::new().fallback(pages)).await;
    let answer = server
        .request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(!answer.contains("password"), "{answer}");
}

#[tokio::test]
async fn two_apps_with_the_same_routes_are_independent() {
    let (first, second) = (server().await, server().await);
    let mut one = first.connect("/rooms/a").await;
    let mut two = second.connect("/rooms/a").await;
    assert_eq!(
        (one.text().await, two.text().await),
        ("room a".into(), "room a".into())
    );
    let mut two = two.active().await;
    one.send("hello").await;
    second.hub().broadcast("only here");
    assert_eq!(two.text().await, "only here");
}

#[tokio::test]
async fn a_hand_written_route_behaves_like_a_macro_route() {
    use harpia::BoxError;
    use harpia::extract::{Handshake, PathValues, Rejection};

    struct ByHand;
    impl Route for ByHand {
        const PATH: &'static str = "/by-hand/{number}";
        type Data = ();
        type Parameters = u32;

        fn parameters(path: &PathValues) -> Result<u32, Rejection> {
            path.parse("number")
        }

        async fn connect(&self, _: &Handshake, _: &u32) -> Result<(), BoxError> {
            Ok(())
        }

        async fn message(
            &self,
            socket: &mut Socket<()>,
            number: &u32,
            message: Message,
        ) -> Result<Broadcast, BoxError> {
            socket.send(format!(
                "{} {number}",
                message.as_str().or_close(1003, "text only")?
            ));
            Ok(Broadcast::Skip)
        }
    }
    let server = TestServer::start(App::new().ws(ByHand)).await;
    let mut client = server.connect("/by-hand/3").await;
    client.send("times").await;
    assert_eq!(client.text().await, "times 3");
    assert_eq!(server.refused("/by-hand/x", &[]).await.0, 404);
}

#[tokio::test]
async fn a_path_with_thousands_of_segments_is_404_and_others_are_served() {
    let server = TestServer::start(App::new().ws(Fixed)).await;
    for path in ["/a".repeat(15_000), "/%61".repeat(7_000)] {
        assert_eq!(server.refused(&path, &[]).await.0, 404);
    }
    server.connect("/rooms/lobby").await;
}
