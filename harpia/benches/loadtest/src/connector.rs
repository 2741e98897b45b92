//! Opens connections: TCP, the upgrade, and for Socket.IO the join of a namespace.

use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::dialect::{Dialect, Protocol};
use crate::options::Common;
use crate::progress::Progress;
use crate::target::Target;

/// Opens connections to one target.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) target: Target,
    /// Asks the kernel for a small receive buffer: for a connection that does not read.
    pub(crate) has_small_buffer: bool,
}

impl Connector {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            has_small_buffer: false,
        }
    }

    /// Connects and upgrades. On the loopback network, `number` selects the source address.
    pub(crate) async fn connect(
        &self,
        number: usize,
        protocol: Protocol,
    ) -> io::Result<Connection> {
        let dialect = Dialect::new(protocol, &self.target.path);
        let mut socket = self.connect_tcp(number).await?;
        let rest = upgrade(&mut socket, &self.target, dialect.path(&self.target.path)).await?;
        let connection = Connection::new(socket, dialect, rest);
        connection.join().await?;
        Ok(connection)
    }

    async fn connect_tcp(&self, number: usize) -> io::Result<TcpStream> {
        let socket = match self.target.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if self.has_small_buffer {
            socket.set_recv_buffer_size(64 << 10)?;
        }
        if self.target.address.is_ipv4() && self.target.is_loopback() {
            // One source address has about 28,000 ports, and each stays in use for a minute after
            // its connection has closed. Several addresses multiply that.
            let last = 2 + (number % SOURCES) as u8;
            socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
        }
        let socket = socket.connect(self.target.address).await?;
        socket.set_nodelay(true)?;
        Ok(socket)
    }
}

/// Opens one connection for each connector, some concurrently. Keeps their order.
pub(crate) async fn connect_all(
    common: &Common,
    connectors: Vec<Connector>,
) -> io::Result<Vec<Rc<Connection>>> {
    let total = connectors.len();
    let connectors = Rc::new(connectors);
    let next = Rc::new(Cell::new(0));
    let _progress = Progress::counting("connecting", "connections", Some(total), {
        let next = next.clone();
        move || next.get() as u64
    });
    let mut workers = JoinSet::new();
    for _ in 0..common.at_once {
        let (connectors, next, protocol) = (connectors.clone(), next.clone(), common.protocol);
        workers.spawn_local(async move {
            let mut opened = Vec::new();
            while let Some(connector) = connectors.get(next.get()) {
                let number = next.replace(next.get() + 1);
                let connection = connector.connect(number, protocol).await?;
                opened.push((number, Rc::new(connection)));
            }
            io::Result::Ok(opened)
        });
    }
    let mut opened = Vec::with_capacity(total);
    while let Some(worker) = workers.join_next().await {
        opened.extend(worker??);
    }
    opened.sort_unstable_by_key(|(number, _)| *number);
    Ok(opened
        .into_iter()
        .map(|(_, connection)| connection)
        .collect())
}

/// Performs the upgrade. Returns the bytes that followed the response.
async fn upgrade(socket: &mut TcpStream, target: &Target, path: &str) -> io::Result<Vec<u8>> {
    let host = &target.host;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut response = Vec::with_capacity(512);
    loop {
        if socket.read_buf(&mut response).await? == 0 {
            return Err(io::Error::other(
                "the server closed the connection during the handshake",
            ));
        }
        if let Some(end) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let rest = response.split_off(end + 4);
            let head = String::from_utf8_lossy(&response);
            return match head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT) {
                true => Ok(rest),
                false => Err(io::Error::other(format!(
                    "the server rejected the handshake:\n{}",
                    head.trim()
                ))),
            };
        }
        if response.len() > 64 << 10 {
            return Err(io::Error::other(
                "the head of the server's response has more than 64 KiB",
            ));
        }
    }
}

/// The sample key of RFC 6455, section 1.3, and the value that a server accepts it with.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The number of source addresses, from 127.0.0.2 on.
const SOURCES: usize = 64;
