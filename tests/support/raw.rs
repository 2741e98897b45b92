//! A client that reads and writes bytes.
//!
//! It can send frames that no correct client sends, and it can read slowly or not at all.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use crate::client::RETRY_PAUSE;
use crate::within;

/// One TCP connection, normally upgraded to a WebSocket.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    answer: String,
}

/// A frame as the server sent it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// The first byte: FIN bit, reserved bits and opcode.
    pub head: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

impl RawClient {
    /// Connects and upgrades.
    ///
    /// # Panics
    ///
    /// If the server refuses the upgrade.
    pub async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with_buffer(address, path, None).await
    }

    /// Connects with a receive buffer of 4 KiB, so that the server's writes soon block.
    pub async fn connect_narrow(address: SocketAddr, path: &str) -> Self {
        Self::connect_with_buffer(address, path, Some(4096)).await
    }

    async fn connect_with_buffer(address: SocketAddr, path: &str, buffer: Option<u32>) -> Self {
        Self::begin(buffer, address, handshake(path, "").as_bytes()).await
    }

    /// Connects and offers extensions: the value of `Sec-WebSocket-Extensions`.
    pub async fn connect_offering(address: SocketAddr, path: &str, extensions: &str) -> Self {
        let line = format!("Sec-WebSocket-Extensions: {extensions}\r\n");
        Self::upgrade(address, handshake(path, &line).as_bytes()).await
    }

    /// Connects, sends bytes that begin with a handshake, and reads the head of the response.
    ///
    /// # Panics
    ///
    /// If the server refuses the upgrade.
    pub async fn upgrade(address: SocketAddr, bytes: &[u8]) -> Self {
        Self::begin(None, address, bytes).await
    }

    /// Connects. If the server is full, tries again until it has a place, as a user's client does.
    async fn begin(buffer: Option<u32>, address: SocketAddr, bytes: &[u8]) -> Self {
        within(async {
            loop {
                let client = Self::begin_once(buffer, address, bytes).await;
                match status(&client.answer) {
                    101 => return client,
                    503 => sleep(RETRY_PAUSE).await,
                    _ => panic!("refused: {}", client.answer),
                }
            }
        })
        .await
    }

    async fn begin_once(buffer: Option<u32>, address: SocketAddr, bytes: &[u8]) -> Self {
        let socket = match TcpSocket::new_v4() {
            Ok(socket) => socket,
            Err(error) => panic!("no socket: {error}"),
        };
        if let Some(size) = buffer {
            let set = socket.set_recv_buffer_size(size);
            assert!(set.is_ok(), "{set:?}");
        }
        let mut client = match within(socket.connect(address)).await {
            Ok(stream) => Self::new(stream),
            Err(error) => panic!("could not connect: {error}"),
        };
        client.write(bytes).await;
        client.answer = client.read_head().await;
        client
    }

    fn new(stream: TcpStream) -> Self {
        let answer = String::new();
        Self { stream, answer }
    }

    /// Returns the head of the handshake response.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// Returns a header of the handshake response.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.answer.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value)
    }

    /// Sends a request, closes the client's side, and returns the whole response.
    ///
    /// # Panics
    ///
    /// If the connection fails.
    pub async fn request(address: SocketAddr, text: &str) -> String {
        let mut client = Self::begin_request(address, text).await;
        let shut = client.stream.shutdown().await;
        assert!(shut.is_ok(), "{shut:?}");
        client.read_to_end().await
    }

    /// Sends a request with `Connection: close` and returns the whole response.
    ///
    /// # Panics
    ///
    /// If the connection fails.
    pub async fn last_request(address: SocketAddr, text: &str) -> String {
        Self::begin_request(address, text).await.read_to_end().await
    }

    async fn begin_request(address: SocketAddr, text: &str) -> Self {
        Self::open(address, text.as_bytes()).await
    }

    /// Connects and sends bytes, and reads nothing.
    ///
    /// # Panics
    ///
    /// If the server does not accept the connection.
    pub async fn open(address: SocketAddr, bytes: &[u8]) -> Self {
        let mut client = match within(TcpStream::connect(address)).await {
            Ok(stream) => Self::new(stream),
            Err(error) => panic!("could not connect: {error}"),
        };
        client.write(bytes).await;
        client
    }

    async fn read_to_end(mut self) -> String {
        let mut answer = Vec::new();
        let read = within(self.stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{read:?}");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a ping and waits for the pong, which shows that the connection is active.
    ///
    /// The server answers pings once `open` has returned, and while a route with `auth` waits for
    /// the first message.
    ///
    /// # Panics
    ///
    /// If another frame arrives before the pong.
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
    /// If the connection is closed, or the server does not read for 20 seconds.
    pub async fn write(&mut self, bytes: &[u8]) {
        let written = within(self.stream.write_all(bytes)).await;
        assert!(written.is_ok(), "could not write: {written:?}");
    }

    /// Writes bytes to a server that may close meanwhile; returns whether all were written.
    pub async fn try_write(&mut self, bytes: &[u8]) -> bool {
        within(self.stream.write_all(bytes)).await.is_ok()
    }

    /// Writes one masked frame; `head` is its first byte.
    pub async fn frame(&mut self, head: u8, payload: &[u8]) {
        self.write(&masked(head, payload)).await;
    }

    /// Writes several text frames with one call, so that the server likely reads them at once.
    pub async fn texts(&mut self, texts: &[&str]) {
        let frames = texts.iter().map(|text| masked(0x81, text.as_bytes()));
        self.write(&frames.collect::<Vec<_>>().concat()).await;
    }

    /// Reads a frame; returns `None` if the server has closed the connection.
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

    /// Reads at most so many bytes, and returns how many there were. Returns 0 if the server has
    /// ended its side.
    pub async fn read_some(&mut self, most: usize) -> usize {
        let mut bytes = vec![0; most];
        within(self.stream.read(&mut bytes))
            .await
            .unwrap_or_default()
    }

    /// Returns whether the server neither sends a byte nor ends its side within this time.
    pub async fn is_silent_for(&self, time: Duration) -> bool {
        let mut byte = [0];
        let peeked = tokio::time::timeout(time, self.stream.peek(&mut byte));
        peeked.await.is_err()
    }

    /// Reads until the close frame and answers it with the same payload; returns its code.
    ///
    /// Returns 1005 for a close frame without a code, and 1006 if the connection ends without a
    /// close frame.
    pub async fn close_code(&mut self) -> u16 {
        while let Some(frame) = self.read_frame().await {
            if frame.head == 0x88 {
                self.try_write(&masked(0x88, &frame.payload)).await;
                return match frame.payload[..] {
                    [high, low, ..] => u16::from_be_bytes([high, low]),
                    _ => 1005,
                };
            }
        }
        1006
    }

    /// Answers the server's close frame.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn answer_close(&mut self, frame: &Frame) {
        self.frame(0x88, &frame.payload).await;
    }

    /// Closes the client's side of the TCP connection without a close frame.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn finish(&mut self) {
        let finished = self.stream.shutdown().await;
        assert!(finished.is_ok(), "{finished:?}");
    }

    /// Resets the TCP connection.
    pub fn reset(self) {
        let _ = self.stream.set_zero_linger();
        drop(self.stream);
    }

    /// Reads the head of an HTTP response.
    ///
    /// # Panics
    ///
    /// If the server closes the connection before the end of the head.
    pub async fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match within(self.stream.read_u8()).await {
                Ok(byte) => head.push(byte),
                Err(error) => panic!("the response has no complete head: {error}"),
            }
        }
        String::from_utf8_lossy(&head).into_owned()
    }
}

impl Frame {
    /// Returns the payload as text; invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// Returns the status of an HTTP response, or 0 if it has none.
pub fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1).unwrap_or_default();
    word.parse().unwrap_or_default()
}

/// Makes a handshake without an `Origin` header, with these additional lines.
pub fn handshake(path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
}

/// Makes a client frame, masked with a fixed key; `head` is its first byte.
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
