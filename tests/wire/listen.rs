//! What a server listens on: Unix sockets, sockets of the program, listeners of its own, several.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net as std_unix;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt, StreamExt};
use harpia::listen::{IntoListeners, ListenAddr, Listener, Listeners};
use harpia::prelude::*;
use harpia::{Error, Server};
use harpia_tests::{Client, within};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{WebSocketStream, client_async};

struct Chat;

#[ws_route("/chat", backlog = "64MiB")]
impl Chat {
    fn open(&self, ws: &mut Socket<RemoteAddr>) {
        ws.subscribe("all");
        ws.send(format!("from {}", ws.data));
    }
}

struct Running {
    hub: Hub,
    serving: JoinHandle<harpia::Result>,
    addresses: Vec<ListenAddr>,
}

async fn start(listener: impl IntoListeners) -> Running {
    start_app(App::new().ws(Chat), listener).await
}

async fn start_app(app: App, listener: impl IntoListeners) -> Running {
    let server = app.bind(listener).await.expect("the server listens");
    Running {
        hub: server.handle(),
        addresses: server.local_addrs().collect(),
        serving: tokio::spawn(server.serve()),
    }
}

impl Running {
    fn tcp(&self) -> SocketAddr {
        let mut addresses = self.addresses.iter();
        addresses.find_map(ListenAddr::tcp).expect("a TCP address")
    }

    async fn shut_down(self) {
        self.hub.shutdown();
        let served = within(self.serving).await.expect("it does not panic");
        served.expect("it does not crash");
    }
}

/// A path for a socket that no other test uses.
fn path() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("harpia-{}-{number}.sock", std::process::id());
    std::env::temp_dir().join(name)
}

type Ws<S> = WebSocketStream<S>;

async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Ws<S> {
    let upgraded = within(client_async("ws://localhost/chat", stream)).await;
    upgraded.expect("the server upgrades").0
}

async fn text<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut Ws<S>) -> String {
    match within(ws.next()).await {
        Some(Ok(Frame::Text(text))) => text.to_string(),
        other => panic!("no text: {other:?}"),
    }
}

/// Two clients exchange messages of all sizes, get a topic's messages, and one of them closes.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(hub: &Hub, mut one: Ws<S>, mut two: Ws<S>) {
    for size in [0, 1, 125, 126, 60_000] {
        let sent = "x".repeat(size);
        within(one.send(Frame::text(sent.clone())))
            .await
            .expect("it is sent");
        assert_eq!(text(&mut two).await, sent);
    }
    for number in 0..100 {
        hub.publish("all", format!("{number} {}", "y".repeat(20_000)));
    }
    for number in 0..100 {
        let start = format!("{number} ");
        assert!(text(&mut one).await.starts_with(&start));
        assert!(text(&mut two).await.starts_with(&start));
    }
    within(two.close(None)).await.expect("it is sent");
    while let Some(Ok(_)) = within(two.next()).await {}
    hub.publish("all", "still here");
    assert_eq!(text(&mut one).await, "still here");
}

#[tokio::test]
async fn clients_of_a_unix_socket_exchange_messages_and_the_file_is_removed_at_the_end() {
    for as_text in [true, false] {
        let path = path();
        let running = match as_text {
            true => start(format!("unix:{}", path.display())).await,
            false => start(&*path).await,
        };
        assert_eq!(running.addresses, [ListenAddr::Unix(path.clone())]);
        let connect = async || {
            let mut client = upgrade(UnixStream::connect(&path).await.expect("it listens")).await;
            assert_eq!(text(&mut client).await, "from unix");
            client
        };
        let (one, two) = (connect().await, connect().await);
        exchange(&running.hub, one, two).await;
        running.shut_down().await;
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn a_unix_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let path = path();
    drop(std_unix::UnixListener::bind(&path).expect("it binds"));
    assert!(path.exists(), "std leaves the file behind");
    let running = start(path.clone()).await;
    let error = error_of(App::new().ws(Chat).bind(&*path).await);
    assert_eq!(
        error.to_string(),
        format!("could not listen on unix:{}", path.display())
    );
    running.shut_down().await;
}

#[tokio::test]
async fn the_socket_of_the_next_process_is_not_removed_at_the_end_of_the_former_one() {
    let path = path();
    let running = start(path.clone()).await;
    std::fs::remove_file(&path).expect("it is there");
    let next = std_unix::UnixListener::bind(&path).expect("it binds");
    running.shut_down().await;
    assert!(std_unix::UnixStream::connect(&path).is_ok());
    drop(next);
    std::fs::remove_file(&path).expect("it is there");
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_replaced() {
    let path = path();
    std::fs::write(&path, "precious").expect("it is written");
    error_of(App::new().ws(Chat).bind(&*path).await);
    assert_eq!(std::fs::read(&path).expect("it is there"), b"precious");
    std::fs::remove_file(&path).expect("it is removed");
}

fn error_of(bound: harpia::Result<Server>) -> Error {
    match bound {
        Err(error) => error,
        Ok(server) => panic!("it listens on {}", server.local_addr()),
    }
}

#[tokio::test]
async fn sockets_that_the_program_has_opened_are_served() {
    let std_listener = std::net::TcpListener::bind("127.0.0.1:0").expect("it binds");
    let tokio_listener = TcpListener::bind("127.0.0.1:0").await.expect("it binds");
    for running in [start(std_listener).await, start(tokio_listener).await] {
        let mut client = Client::connect(running.tcp(), "/chat", &[]).await;
        assert!(client.text().await.starts_with("from 127.0.0.1:"));
    }
    let (std_path, tokio_path) = (path(), path());
    let std_listener = std_unix::UnixListener::bind(&std_path).expect("it binds");
    let tokio_listener = UnixListener::bind(&tokio_path).expect("it binds");
    let running = [start(std_listener).await, start(tokio_listener).await];
    for path in [std_path, tokio_path] {
        let mut client = upgrade(UnixStream::connect(&path).await.expect("it listens")).await;
        assert_eq!(text(&mut client).await, "from unix");
        // The program has made the file, so it removes it.
        std::fs::remove_file(path).expect("it is still there");
    }
    drop(running);
}

/// A listener that hands out streams in memory.
struct InMemory(mpsc::Receiver<DuplexStream>);

impl Listener for InMemory {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, RemoteAddr)> {
        let stream = self.0.recv().await.ok_or(io::ErrorKind::NotConnected)?;
        Ok((stream, SocketAddr::from(([192, 0, 2, 1], 5)).into()))
    }

    fn local_addr(&self) -> io::Result<ListenAddr> {
        Ok(ListenAddr::Other("memory".to_owned()))
    }
}

#[tokio::test]
async fn clients_of_a_listener_of_the_program_exchange_messages() {
    let (connect, listener) = mpsc::channel(1);
    let running = start(InMemory(listener)).await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let (client, server) = duplex(10_000);
        connect.send(server).await.expect("it accepts");
        let mut client = upgrade(client).await;
        assert_eq!(text(&mut client).await, "from 192.0.2.1:5");
        clients.push(client);
    }
    let two = clients.pop().expect("two clients");
    let one = clients.pop().expect("two clients");
    exchange(&running.hub, one, two).await;
    running.shut_down().await;
}

/// A listener with a bug.
struct Broken(TcpListener);

impl Listener for Broken {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, RemoteAddr)> {
        static ACCEPTED: AtomicUsize = AtomicUsize::new(0);
        let (stream, address) = self.0.accept().await?;
        let accepted = ACCEPTED.fetch_add(1, Ordering::Relaxed);
        assert!(accepted < 2, "a bug in the listener");
        Ok((stream, address.into()))
    }

    fn local_addr(&self) -> io::Result<ListenAddr> {
        Ok(self.0.local_addr()?.into())
    }
}

#[tokio::test]
async fn a_panic_of_a_listener_shuts_the_server_down_and_is_returned_by_serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it binds");
    let running = start(Broken(listener)).await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(running.tcp(), "/chat", &[]).await;
        assert!(client.text().await.starts_with("from "));
        clients.push(client);
    }
    let _third = TcpStream::connect(running.tcp())
        .await
        .expect("it connects");
    for mut client in clients {
        assert_eq!(client.closed().await, (1001, "Server Shutdown".into()));
    }
    let served = within(running.serving).await.expect("`serve` returns");
    let error = served.expect_err("the listener has panicked");
    assert!(
        matches!(&error, Error::Crash { part: "accept loop", message } if message == "a bug in the listener"),
        "{error}"
    );
}

/// A listener that changes the address of its clients.
struct Renamed(TcpListener);

impl Listener for Renamed {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, RemoteAddr)> {
        let (stream, _) = self.0.accept().await?;
        Ok((stream, RemoteAddr::UNIX))
    }

    fn local_addr(&self) -> io::Result<ListenAddr> {
        Ok(self.0.local_addr()?.into())
    }
}

#[tokio::test]
async fn a_listener_of_the_program_names_its_clients() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it binds");
    let running = start(Renamed(listener)).await;
    let mut client = Client::connect(running.tcp(), "/chat", &[]).await;
    assert_eq!(client.text().await, "from unix");
}

async fn several(path: &Path) -> Listeners {
    let tcp = Listeners::new().and("127.0.0.1:0").await.expect("it binds");
    let more = tcp.and("127.0.0.1:0").await.expect("it binds");
    more.and(path).await.expect("it binds")
}

#[tokio::test]
async fn several_listeners_share_one_server_and_its_limit_of_connections() {
    let path = path();
    let app = App::new().ws(Chat).max_connections(2);
    let running = start_app(app, several(&path).await).await;
    let addresses: Vec<_> = running
        .addresses
        .iter()
        .filter_map(ListenAddr::tcp)
        .collect();
    assert_eq!(addresses.len(), 2);
    // Every listener accepts, although there are fewer places than listeners.
    for _ in 0..3 {
        for address in &addresses {
            let mut client = Client::connect(*address, "/chat", &[]).await;
            client.text().await;
            client.close().await;
        }
        let mut client = upgrade(UnixStream::connect(&path).await.expect("it listens")).await;
        assert_eq!(text(&mut client).await, "from unix");
        within(client.close(None)).await.expect("it is sent");
    }
    running.shut_down().await;
}

#[tokio::test]
async fn two_servers_share_an_address_only_with_reuse_port() {
    let app = |reuse| App::new().ws(Chat).reuse_port(reuse);
    let first = start_app(app(true), "127.0.0.1:0").await;
    let address = first.tcp();
    error_of(app(false).bind(address).await);
    let second = start_app(app(true), address).await;
    // The system chooses between the two. All clients are served, also when one of them ends.
    let visit = async || {
        let mut client = Client::connect(address, "/chat", &[]).await;
        client.text().await;
        client.close().await;
    };
    for _ in 0..20 {
        visit().await;
    }
    first.shut_down().await;
    visit().await;
    second.shut_down().await;
}

#[tokio::test]
async fn no_listener_is_an_error() {
    let error = error_of(App::new().ws(Chat).bind(Listeners::new()).await);
    assert!(matches!(error, Error::Config { .. }), "{error}");
}

#[tokio::test]
async fn five_thousand_clients_wait_in_the_listen_queue() {
    let server = App::new()
        .ws(Chat)
        .bind("127.0.0.1:0")
        .await
        .expect("it binds");
    let address = server.local_addr().tcp().expect("a TCP address");
    // The server does not accept yet. The system completes the connections of its queue.
    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
    let limit = limit.ok().and_then(|text| text.trim().parse().ok());
    let queue = limit.unwrap_or(4096).min(4096);
    let mut clients = Vec::new();
    for _ in 0..queue {
        clients.push(within(TcpStream::connect(address)).await.expect("it waits"));
    }
    assert_eq!(clients.len(), queue);
}
