//! The example programs, run as a user runs them.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use harpia_tests::{Client, Program, within};
use tokio::net::TcpStream;

#[tokio::test]
async fn custom_data_rejects_a_client_without_a_known_session() {
    let program = Program::start("example-custom-data");
    for cookies in [
        &[][..],
        &[("cookie", "session_id=eve")],
        &[("cookie", "other=ada")],
    ] {
        let mut client = Client::connect(program.address(), "/chat", cookies).await;
        assert_eq!(client.closed().await, (1008, "Unauthorized".into()));
    }
}

#[tokio::test]
async fn custom_data_attaches_the_user_and_names_the_author() {
    let program = Program::start("example-custom-data");
    let ada = [("cookie", "theme=dark; session_id=ada")];
    let grace = [("cookie", "session_id=grace")];
    let mut ada = Client::connect(program.address(), "/chat?room=garden", &ada).await;
    let mut grace = Client::connect(program.address(), "/chat", &grace).await;
    assert_eq!(ada.text().await, "welcome");
    assert_eq!(grace.text().await, "welcome");
    let (mut ada, mut grace) = (ada.active().await, grace.active().await);
    grace.send("hello").await;
    assert_eq!(ada.text().await, "user 2: hello");
    ada.send("hi").await;
    assert_eq!(grace.text().await, "user 1: hi");
}

#[tokio::test]
async fn echo_replies_to_the_sender_and_chat_reaches_the_others() {
    let program = Program::start("example-echo");
    let mut echo = Client::connect(program.address(), "/echo", &[]).await;
    let large = "x".repeat(1 << 20);
    echo.send(&large).await;
    assert_eq!(echo.text().await, large);
    let one = Client::connect(program.address(), "/chat", &[]).await;
    let two = Client::connect(program.address(), "/chat", &[]).await;
    let (mut one, mut two) = (one.active().await, two.active().await);
    one.send("from one").await;
    assert_eq!(two.text().await, "from one");
    two.send("from two").await;
    assert_eq!(one.text().await, "from two");
}

#[tokio::test]
async fn clients_that_connect_while_a_service_with_a_passed_socket_restarts_are_served() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let chat = Program::start_with_socket("example-chat", &socket);
    let address = chat.address();
    let mut old = Client::connect(address, "/rooms/garden?name=Ada", &[]).await;
    assert!(old.text().await.contains("Ada"));
    let closed = tokio::spawn(async move { old.closed().await });
    chat.stop("TERM");
    let closed = within(closed).await.expect("the client ends");
    assert_eq!(closed, (1001, "Server Shutdown".into()));

    let waits = tokio::spawn(async move {
        let mut new = Client::connect(address, "/rooms/garden?name=Grace", &[]).await;
        new.text().await
    });
    let chat = Program::start_with_socket("example-chat", &socket);
    let welcome = within(waits).await.expect("the client is served");
    assert!(welcome.contains("Grace"), "{welcome}");
    chat.stop("TERM");
}

#[tokio::test]
async fn ctrl_c_and_sigterm_close_all_clients_and_exit_with_success() {
    for signal in ["INT", "TERM"] {
        let program = Program::start("example-echo");
        let mut client = Client::connect(program.address(), "/echo", &[]).await;
        client.send("hello").await;
        assert_eq!(client.text().await, "hello");
        let closed = tokio::spawn(async move {
            assert_eq!(client.closed().await, (1001, "Server Shutdown".into()));
            client.close().await;
        });
        let stopped = tokio::task::spawn_blocking(move || program.stop(signal));
        assert!(stopped.await.is_ok(), "{signal}");
        assert!(closed.await.is_ok(), "{signal}");
    }
}

#[tokio::test]
async fn a_second_signal_stops_the_program_without_waiting() {
    let program = Program::start("example-echo");
    let mut client = Client::connect(program.address(), "/echo", &[]).await;
    // A request that never ends. The shutdown waits 10 seconds for it.
    let stalled = TcpStream::connect(program.address()).await.unwrap();
    stalled.try_write(b"GET /echo HTTP/1.1\r\nHost: l").unwrap();
    client.send("hello").await;
    assert_eq!(client.text().await, "hello");
    let before = Instant::now();
    program.signal("INT");
    // The close frame shows that the program has handled the first signal.
    assert_eq!(client.closed().await.0, 1001);
    client.close().await;
    let stopped = tokio::task::spawn_blocking(move || program.stop("TERM"));
    assert!(stopped.await.is_ok());
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "{:?}",
        before.elapsed()
    );
    drop(stalled);
}

#[tokio::test]
async fn chat_rejects_an_empty_or_overlong_name() {
    let program = Program::start("example-chat");
    for name in ["", "%20", "a-name-that-is-far-too-long-for-any-screen"] {
        let path = format!("/rooms/lobby?name={name}");
        let (status, text) = Client::refused(program.address(), &path, &[]).await;
        assert!(status == 400 && text.contains("name"), "{status} {text}");
    }
}

#[tokio::test]
async fn profile_rejects_forms_from_pages_of_other_sites() {
    let program = Program::start("example-profile");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let right = "email=john%40example.com&password=correct+horse";
    for origin in ["http://evil.test", "https://127.0.0.1", "null"] {
        let headers = [form, ("origin", origin)];
        for path in ["/login", "/logout"] {
            let answer = program.post(path, &headers, right).await;
            assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        }
    }
    let own = format!("http://{}", program.address());
    let headers = [form, ("origin", &own)];
    let answer = program.post("/login", &headers, right).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}
