//! The other end of a write end, for tests: what was written to it, frame by frame.
//!
//! The two are a socket pair of the system, which passes on at once what is written. So a test
//! knows what has arrived without waiting for it, and what the driver knows without guessing.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::budget::Budget;
use crate::id::ConnectionId;
use crate::limits::Limits;
use crate::protocol::extension::Agreement;
use crate::protocol::frame;

use super::Transport;

/// Makes write ends, and tells their sockets what the system has to say: only when asked to.
pub(crate) struct Wire {
    runtime: Runtime,
}

/// What a peer would read.
pub(crate) struct TestPeer {
    stream: UnixStream,
}

/// A frame as it came, and what is in it.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_io().build();
        Self {
            runtime: runtime.unwrap(),
        }
    }

    /// A write end whose socket takes a few kilobytes, and where it leads.
    pub(crate) fn narrow(&self, limits: Limits) -> (Transport, TestPeer) {
        let (transport, far) = self.wide(ConnectionId::new(0, 0), limits, None);
        let socket = SockRef::from(&transport.stream);
        socket.set_send_buffer_size(2048).unwrap();
        (transport, far)
    }

    /// A write end whose socket takes all that a small test writes, and where it leads.
    pub(crate) fn wide(
        &self,
        id: ConnectionId,
        limits: Limits,
        agreement: Option<Agreement>,
    ) -> (Transport, TestPeer) {
        let (near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let stream = self.adopt(net::TcpStream::from(OwnedFd::from(near)));
        let budget = Arc::new(Budget::new(usize::MAX));
        let transport = Transport::new(stream, id, Arc::new(limits), budget, agreement, 1);
        (transport, TestPeer { stream: far })
    }

    /// Hands over a socket, and waits until it is known that it can be written to.
    pub(super) fn adopt(&self, stream: net::TcpStream) -> TcpStream {
        stream.set_nonblocking(true).unwrap();
        self.runtime.block_on(async {
            let stream = TcpStream::from_std(stream).unwrap();
            stream.writable().await.unwrap();
            stream
        })
    }

    /// Looks once at what has happened to the sockets, and wakes who waits for it.
    pub(crate) fn turn(&self) {
        self.runtime.block_on(tokio::task::yield_now());
    }
}

impl TestPeer {
    /// Takes what has arrived.
    pub(crate) fn read(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match (&self.stream).read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        bytes
    }

    /// Sends as a peer does.
    pub(crate) fn write(&self, bytes: &[u8]) {
        (&self.stream).write_all(bytes).unwrap();
    }

    /// Has every further write to it fail.
    pub(crate) fn close(&self) {
        self.stream.shutdown(net::Shutdown::Both).unwrap();
    }

    /// Takes what has arrived, which is whole frames.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let (frames, rest) = split(&self.read());
        assert_eq!(rest, 0, "a frame is torn or not all there");
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

    /// The code of a close frame.
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

/// Splits what was written into whole frames, and says how many bytes of another are behind them.
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
            "{:#x} begins no frame of ours",
            bytes[0]
        );
        assert_eq!(frame::boundary_from(bytes, 1), head + len);
        frames.push(Frame::new(bytes[0] & 0xf, payload));
        bytes = &bytes[head + len..];
    }
}
