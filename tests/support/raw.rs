//! A client of bytes: it sends what no proper client sends, and reads slowly or not at all.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::within;

/// One TCP connection, upgraded.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    answer: String,
}

/// A frame as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// The first byte: final bit, reserved bits, opcode.
    pub head: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

impl RawClient {
    /// Connects and upgrades.
    ///
    /// # Panics
    ///
    /// If that is refused.
    pub async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with_buffer(address, path, None).await
    }

    /// Connects with a small receive buffer, so that the server's writes stall soon.
    pub async fn connect_narrow(address: SocketAddr, path: &str) -> Self {
        Self::connect_with_buffer(address, path, Some(4096)).await
    }

    async fn connect_with_buffer(address: SocketAddr, path: &str, buffer: Option<u32>) -> Self {
        let socket = match TcpSocket::new_v4() {
            Ok(socket) => socket,
            Err(error) => panic!("no socket: {error}"),
        };
        if let Some(size) = buffer {
            let set = socket.set_recv_buffer_size(size);
            assert!(set.is_ok(), "{set:?}");
        }
        Self::begin(socket, address, handshake(path, "").as_bytes()).await
    }

    /// Connects and offers extensions, as the header's value.
    pub async fn connect_offering(address: SocketAddr, path: &str, extensions: &str) -> Self {
        let line = format!("Sec-WebSocket-Extensions: {extensions}\r\n");
        Self::upgrade(address, handshake(path, &line).as_bytes()).await
    }

    /// Sends these bytes, which begin with a handshake, and reads the answer's head.
    ///
    /// # Panics
    ///
    /// If that is refused.
    pub async fn upgrade(address: SocketAddr, bytes: &[u8]) -> Self {
        match TcpSocket::new_v4() {
            Ok(socket) => Self::begin(socket, address, bytes).await,
            Err(error) => panic!("no socket: {error}"),
        }
    }

    async fn begin(socket: TcpSocket, address: SocketAddr, bytes: &[u8]) -> Self {
        let mut client = match within(socket.connect(address)).await {
            Ok(stream) => Self::new(stream),
            Err(error) => panic!("could not connect: {error}"),
        };
        client.write(bytes).await;
        client.answer = client.read_head().await;
        let answer = &client.answer;
        assert!(answer.starts_with("HTTP/1.1 101"), "refused: {answer}");
        client
    }

    fn new(stream: TcpStream) -> Self {
        let answer = String::new();
        Self { stream, answer }
    }

    /// Returns a header of the answer to the handshake.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.answer.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value)
    }

    /// Sends a request and reads the answer to its end, which the client asks for by closing.
    ///
    /// # Panics
    ///
    /// If there is no connection.
    pub async fn request(address: SocketAddr, text: &str) -> String {
        let mut client = Self::begin_request(address, text).await;
        let shut = client.stream.shutdown().await;
        assert!(shut.is_ok(), "{shut:?}");
        client.read_to_end().await
    }

    /// Sends a request that says `Connection: close`, and reads the answer to its end.
    ///
    /// # Panics
    ///
    /// If there is no connection.
    pub async fn last_request(address: SocketAddr, text: &str) -> String {
        Self::begin_request(address, text).await.read_to_end().await
    }

    async fn begin_request(address: SocketAddr, text: &str) -> Self {
        let mut client = match within(TcpStream::connect(address)).await {
            Ok(stream) => Self::new(stream),
            Err(error) => panic!("could not connect: {error}"),
        };
        client.write(text.as_bytes()).await;
        client
    }

    async fn read_to_end(mut self) -> String {
        let mut answer = Vec::new();
        let read = within(self.stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{read:?}");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until the connection is active: harpia answers pings from then on.
    ///
    /// # Panics
    ///
    /// If something else comes before the pong.
    pub async fn active(mut self) -> Self {
        self.frame(0x89, b"").await;
        let answer = self.read_frame().await;
        assert!(
            answer.as_ref().is_some_and(|frame| frame.head == 0x8a),
            "{answer:?}"
        );
        self
    }

    /// Writes bytes.
    ///
    /// # Panics
    ///
    /// If the server does not take them.
    pub async fn write(&mut self, bytes: &[u8]) {
        let written = within(self.stream.write_all(bytes)).await;
        assert!(written.is_ok(), "could not write: {written:?}");
    }

    /// Writes as much as the server takes before it breaks off; returns whether it took all.
    pub async fn try_write(&mut self, bytes: &[u8]) -> bool {
        within(self.stream.write_all(bytes)).await.is_ok()
    }

    /// Writes a masked frame with this first byte.
    pub async fn frame(&mut self, head: u8, payload: &[u8]) {
        self.write(&masked(head, payload)).await;
    }

    /// Writes text frames with one call, so that the server most likely reads them with one.
    pub async fn texts(&mut self, texts: &[&str]) {
        let frames = texts.iter().map(|text| masked(0x81, text.as_bytes()));
        self.write(&frames.collect::<Vec<_>>().concat()).await;
    }

    /// Reads a frame, or `None` where the server has closed.
    pub async fn read_frame(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        within(self.stream.read_exact(&mut head)).await.ok()?;
        let length = match head[1] {
            126 => usize::from(within(self.stream.read_u16()).await.ok()?),
            127 => usize::try_from(within(self.stream.read_u64()).await.ok()?).ok()?,
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        within(self.stream.read_exact(&mut payload)).await.ok()?;
        Some(Frame {
            head: head[0],
            payload,
        })
    }

    /// Reads until the close frame; returns its code, 1005 for none, 1006 where no frame comes.
    pub async fn close_code(&mut self) -> u16 {
        while let Some(frame) = self.read_frame().await {
            if frame.head == 0x88 {
                return match frame.payload[..] {
                    [high, low, ..] => u16::from_be_bytes([high, low]),
                    _ => 1005,
                };
            }
        }
        1006
    }

    /// Reads and counts bytes until the server closes.
    pub async fn drain(&mut self) -> usize {
        let mut buffer = vec![0; 64 * 1024];
        let mut count = 0;
        while let Ok(read @ 1..) = within(self.stream.read(&mut buffer)).await {
            count += read;
        }
        count
    }

    /// Ends its own side of the stream, without a close frame.
    ///
    /// # Panics
    ///
    /// If the connection is gone.
    pub async fn finish(&mut self) {
        let finished = self.stream.shutdown().await;
        assert!(finished.is_ok(), "{finished:?}");
    }

    /// Breaks the TCP connection off with a reset.
    pub fn reset(self) {
        let _ = self.stream.set_zero_linger();
        drop(self.stream);
    }

    async fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match within(self.stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(error) => panic!("the head breaks off: {error}"),
            }
        }
        String::from_utf8_lossy(&head).into_owned()
    }
}

impl Frame {
    /// Returns the payload as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A handshake as a program sends it, with further lines.
fn handshake(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
}

/// Makes a client's frame with this first byte, masked with a fixed key.
pub fn masked(head: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![head];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        medium @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}
