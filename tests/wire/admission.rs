//! Which clients are let in: the limits of connections, of silent clients, and of each address.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use harpia::HttpRequest;
use harpia::prelude::*;
use harpia_tests::{Log, RawClient, TestServer, handshake, masked, status, within};
use http::Response;
use http_body_util::Full;
use tower::service_fn;

struct Chat;

#[ws_route("/chat", broadcast = off)]
impl Chat {
    fn open(&self, ws: &mut Socket<RemoteAddr>) {
        ws.send(ws.data.ip().map_or("unix".to_owned(), |ip| ip.to_string()));
    }
}

async fn upgrade(server: &TestServer, lines: &str) -> RawClient {
    let mut client = RawClient::open(server.address(), b"").await;
    client.try_write(handshake("/chat", lines).as_bytes()).await;
    client
}

#[tokio::test]
async fn a_client_beyond_max_connections_gets_a_503_at_once_and_the_log_tells_each_change_once() {
    let log = Log::begin();
    let server = TestServer::start(App::new().ws(Chat).max_connections(1)).await;
    let mut first = server.connect("/chat").await;
    first.text().await;
    for _ in 0..20 {
        let answer = server.request(&handshake("/chat", "")).await;
        assert_eq!(status(&answer), 503, "{answer}");
        assert!(answer.contains("Connection: close"), "{answer}");
        assert!(answer.ends_with("the server is full\n"), "{answer}");
    }
    first.close().await;
    server.connect("/chat").await.text().await;
    let log = log.text();
    assert_eq!(log.matches("the server is full").count(), 1, "{log}");
    assert_eq!(log.matches("the server has room again").count(), 1, "{log}");
}

#[tokio::test]
async fn clients_that_send_nothing_do_not_keep_others_out() {
    let server = TestServer::start(App::new().ws(Chat).max_connections(40)).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(RawClient::open(server.address(), b"GET /chat HTTP/1.1\r\n").await);
        // Honest clients connect all the time.
        if silent.len() % 20 == 0 {
            server.connect("/chat").await.text().await;
        }
    }
    // The longest silent ones made room, and the newest are still there.
    let mut first = silent.swap_remove(0);
    assert_eq!(first.read_some(1).await, 0);
    let mut last = silent.pop().expect("a client");
    last.write(b"Host: h\r\n\r\n").await;
    assert_eq!(status(&last.read_head().await), 426);
}

#[tokio::test]
async fn an_address_with_all_its_connections_gets_a_429_until_one_of_them_ends() {
    let app = App::new().ws(Chat).max_connections_per_address(2);
    let server = TestServer::start(app).await;
    let first = server.connect("/chat").await;
    let mut second = server.connect("/chat").await;
    second.text().await;
    // This client also has a place while it sends no request.
    let answer = server.request(&handshake("/chat", "")).await;
    assert_eq!(status(&answer), 429, "{answer}");
    first.close().await;
    while status(&server.request(&handshake("/chat", "")).await) == 429 {}
    assert_eq!(second.close_with(1000, "").await.0, 1000);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_connections() {
    let app = App::new()
        .ws(Chat)
        .trusted_proxies(["127.0.0.1"])
        .max_connections_per_address(2);
    let server = TestServer::start(app).await;
    let mut clients = Vec::new();
    for number in [1, 1, 2, 2] {
        let line = format!("X-Forwarded-For: 192.0.2.{number}\r\n");
        let mut client = upgrade(&server, &line).await;
        assert_eq!(status(&client.read_head().await), 101);
        clients.push(client);
    }
    let line = "X-Forwarded-For: 192.0.2.1\r\n";
    assert_eq!(status(&upgrade(&server, line).await.read_head().await), 429);
    clients.remove(0).reset();
    while status(&upgrade(&server, line).await.read_head().await) == 429 {}
}

#[tokio::test]
async fn an_upgrade_after_a_page_on_a_proxys_connection_counts_for_its_client() {
    let page = service_fn(|_: HttpRequest| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("page"))))
    });
    let app = App::new()
        .ws(Chat)
        .fallback(page)
        .trusted_proxies(["127.0.0.1"])
        .max_connections_per_address(1);
    let server = TestServer::start(app).await;
    let requests = format!(
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n{}",
        handshake("/chat", "X-Forwarded-For: 192.0.2.1\r\n")
    );
    let mut first = RawClient::open(server.address(), requests.as_bytes()).await;
    assert_eq!(status(&first.read_head().await), 200);
    let answer = RawClient::last_request(server.address(), &requests).await;
    assert!(answer.contains("429 Too Many Requests"), "{answer}");
    first.reset();
}

#[tokio::test]
async fn a_limit_of_zero_connections_for_an_address_is_an_error() {
    let app = App::new().ws(Chat).max_connections_per_address(0);
    let error = app.bind("127.0.0.1:0").await.expect_err("a limit of zero");
    assert!(
        error.to_string().contains("max_connections_per_address"),
        "{error}"
    );
}

/// Connects and leaves in one of six ways, whether or not the server admits the client.
async fn come_and_go(server: &TestServer, number: usize) {
    let mut client = RawClient::open(server.address(), b"").await;
    let request = handshake("/chat", "");
    let bytes: &[u8] = match number % 3 {
        0 => b"",
        1 => b"GET /chat HTTP/1.1\r\n",
        _ => request.as_bytes(),
    };
    client.try_write(bytes).await;
    if number.is_multiple_of(2) {
        client.reset();
    } else {
        // A flood of 3 MB, and then an ordinary end of the connection.
        let message = masked(0x82, &[7; 60_000]);
        for _ in 0..50 {
            if number % 3 != 2 || !client.try_write(&message).await {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_of_clients_that_leave_in_every_way_all_places_are_free() {
    const PLACES: usize = 20;
    let app = App::new().ws(Chat).max_connections(2 * PLACES);
    let app = app.max_connections_per_address(PLACES);
    let server = Arc::new(TestServer::start(app).await);
    let storm = (0..8).map(|first| {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            for number in (first..600).step_by(8) {
                come_and_go(&server, number).await;
            }
        })
    });
    for clients in storm.collect::<Vec<_>>() {
        clients.await.expect("the clients come and go");
    }
    let mut held = Vec::new();
    within(async {
        while held.len() < PLACES {
            let mut client = upgrade(&server, "").await;
            if status(&client.read_head().await) == 101 {
                held.push(client);
            }
        }
    })
    .await;
    let answer = server.request(&handshake("/chat", "")).await;
    assert_eq!(status(&answer), 429, "{answer}");
    within(async {
        while server.hub().connections() != PLACES {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
