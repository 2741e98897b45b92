//! The peer of a transport, for tests: it reads frame by frame what the transport has written.
//!
//! Transport and peer are a Unix socket pair. Written bytes arrive at once, so a test need not wait
//! for them. A test also runs tokio's I/O driver itself, and thereby controls when the transport
//! learns about the socket.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::budget::Budget;
use crate::id::ConnectionId;
use crate::limits::Limits;
use crate::protocol::extension::Agreement;
use crate::protocol::frame;

use super::{Stream, Transport};

/// Creates transports with their peers, and runs the I/O driver of their sockets on request.
pub(crate) struct TestSockets {
    /// Single-threaded: its I/O driver runs only inside `block_on`.
    runtime: Runtime,
}

/// The peer's end of a socket pair.
pub(crate) struct TestPeer {
    stream: UnixStream,
}

/// A frame that was read.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl TestSockets {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_io().build();
        Self {
            runtime: runtime.unwrap(),
        }
    }

    /// Returns a transport whose socket buffers a few kilobytes, and its peer.
    pub(crate) fn narrow(&self, limits: Limits) -> (Transport, TestPeer) {
        let (transport, peer) = self.wide(ConnectionId::new(0, 0), limits, None);
        let Stream::Direct(socket) = &transport.stream else {
            unreachable!("`wide` makes a direct stream");
        };
        socket.configure(|socket| socket.set_send_buffer_size(2048));
        (transport, peer)
    }

    /// Returns a transport whose socket buffers everything that a small test writes, and its peer.
    pub(crate) fn wide(
        &self,
        id: ConnectionId,
        limits: Limits,
        agreement: Option<Agreement>,
    ) -> (Transport, TestPeer) {
        let (server, peer) = UnixStream::pair().unwrap();
        peer.set_nonblocking(true).unwrap();
        let stream = self.adopt(net::TcpStream::from(OwnedFd::from(server)));
        let budget = Arc::new(Budget::new(usize::MAX));
        let stream = Stream::direct(stream);
        let transport = Transport::new(stream, id, Arc::new(limits), budget, agreement, 1);
        (transport, TestPeer { stream: peer })
    }

    /// Registers a socket with tokio, and waits until tokio knows that it is writable.
    pub(super) fn adopt(&self, stream: net::TcpStream) -> TcpStream {
        stream.set_nonblocking(true).unwrap();
        self.runtime.block_on(async {
            let stream = TcpStream::from_std(stream).unwrap();
            stream.writable().await.unwrap();
            stream
        })
    }

    /// Runs the I/O driver once, which wakes the tasks whose sockets have become ready.
    pub(crate) fn turn(&self) {
        self.runtime.block_on(tokio::task::yield_now());
    }
}

impl TestPeer {
    /// Reads the bytes that have arrived.
    pub(crate) fn read(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match (&self.stream).read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        bytes
    }

    /// Sends bytes to the transport.
    pub(crate) fn write(&self, bytes: &[u8]) {
        (&self.stream).write_all(bytes).unwrap();
    }

    /// Closes the socket, so that every later write of the transport fails.
    pub(crate) fn close(&self) {
        self.stream.shutdown(net::Shutdown::Both).unwrap();
    }

    /// Reads the frames that have arrived. Panics if the last one is incomplete.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let (frames, rest) = split(&self.read());
        assert_eq!(rest, 0, "the last frame is torn or incomplete");
        frames
    }
}

impl Frame {
    fn new(opcode: u8, payload: &[u8]) -> Self {
        let payload = payload.to_vec();
        Self { opcode, payload }
    }

    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(1, payload.as_ref())
    }

    pub(crate) fn ping() -> Self {
        Self::new(9, b"")
    }

    pub(crate) fn pong(payload: &str) -> Self {
        Self::new(10, payload.as_bytes())
    }

    /// Returns the code of a close frame, and `None` for any other frame.
    pub(crate) fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk().copied();
        code.filter(|_| self.opcode == 8).map(u16::from_be_bytes)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opcode, payload } = self;
        let payload = &payload[..payload.len().min(50)];
        write!(f, "{opcode:#x} {}", payload.escape_ascii())
    }
}

/// Splits written bytes into whole frames, and returns how many bytes of another frame follow.
pub(super) fn split(mut bytes: &[u8]) -> (Vec<Frame>, usize) {
    let mut frames = Vec::new();
    loop {
        let (head, len) = match *bytes {
            [_, 126, a, b, ..] => (4, usize::from(u16::from_be_bytes([a, b]))),
            [_, 127, _, _, _, _, a, b, c, d, ..] => (10, u32::from_be_bytes([a, b, c, d]) as usize),
            [_, len @ 0..126, ..] => (2, usize::from(len)),
            _ => return (frames, bytes.len()),
        };
        let Some(payload) = bytes.get(head..head + len) else {
            return (frames, bytes.len());
        };
        assert!(
            matches!(bytes[0], 0x81 | 0x82 | 0xc1 | 0xc2 | 0x88 | 0x89 | 0x8a),
            "no frame of the server starts with {:#x}",
            bytes[0]
        );
        assert_eq!(frame::boundary_from(bytes, 1), head + len);
        frames.push(Frame::new(bytes[0] & 0xf, payload));
        bytes = &bytes[head + len..];
    }
}
