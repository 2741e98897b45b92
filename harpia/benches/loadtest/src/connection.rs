//! One WebSocket connection of the load generator.
//!
//! All connections run on one thread. A connection reads in large pieces, queues what it sends, and
//! never blocks the thread.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use crate::dialect::{Dialect, Incoming};
use crate::frame::{self, Decoder, Event};

/// Handles what a connection receives.
pub(crate) trait Handler {
    /// Called with the payload of each message.
    fn message(&mut self, payload: &[u8]);

    /// Called for each pong.
    fn pong(&mut self) {}

    /// Called after the last message of each read.
    fn read_done(&mut self) {}
}

/// An open connection.
pub(crate) struct Connection {
    socket: TcpStream,
    dialect: Dialect,
    outgoing: RefCell<Vec<u8>>,
    /// The socket takes no more, and a task waits until it does.
    is_blocked: Cell<bool>,
    decoder: RefCell<Decoder>,
    /// The bytes that arrived with the handshake response. Empty after the first read.
    first: RefCell<Vec<u8>>,
    has_joined: Cell<bool>,
}

thread_local! {
    /// One buffer for the reads of all connections, so that an idle connection needs none.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

impl Connection {
    pub(crate) fn new(socket: TcpStream, dialect: Dialect, first: Vec<u8>) -> Self {
        Self {
            socket,
            has_joined: Cell::new(!dialect.must_join()),
            dialect,
            outgoing: RefCell::default(),
            is_blocked: Cell::new(false),
            decoder: RefCell::default(),
            first: RefCell::new(first),
        }
    }

    /// Queues one message.
    pub(crate) fn queue(&self, payload: &[u8]) {
        let (prefix, suffix) = self.dialect.envelope();
        let mut outgoing = self.outgoing.borrow_mut();
        frame::write(&mut outgoing, frame::TEXT, &[prefix, payload, suffix]);
    }

    /// Queues a ping.
    pub(crate) fn queue_ping(&self) {
        frame::write(&mut self.outgoing.borrow_mut(), frame::PING, &[]);
    }

    /// Writes what is queued.
    ///
    /// If the socket does not take all of it, a task writes the rest. The task ends when the
    /// connection does.
    pub(crate) fn flush(self: &Rc<Self>) {
        if self.is_blocked.get() || self.write_some() {
            return;
        }
        self.is_blocked.set(true);
        let connection = self.clone();
        spawn_local(async move {
            while connection.socket.writable().await.is_ok() && !connection.write_some() {}
            connection.is_blocked.set(false);
        });
    }

    /// Reads until the connection closes.
    pub(crate) async fn run(self: Rc<Self>, mut handler: impl Handler) {
        poll_fn(|context| {
            for _ in 0..READS_PER_POLL {
                match self.poll_read(context, &mut handler) {
                    Poll::Ready(Ok(())) => handler.read_done(),
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Reads once, and passes each complete message to the handler.
    ///
    /// # Errors
    ///
    /// If the connection is closed.
    pub(crate) async fn read(self: &Rc<Self>, handler: &mut impl Handler) -> io::Result<()> {
        poll_fn(|context| self.poll_read(context, handler)).await
    }

    /// Waits until the server has confirmed the namespace. Returns at once if there is none.
    pub(crate) async fn join(&self) -> io::Result<()> {
        while !self.has_joined.get() {
            poll_fn(|context| self.poll_read(context, &mut Ignore)).await?;
        }
        Ok(())
    }

    fn poll_read(
        &self,
        context: &mut Context<'_>,
        handler: &mut impl Handler,
    ) -> Poll<io::Result<()>> {
        let first = self.first.take();
        if !first.is_empty() {
            return Poll::Ready(self.decode(&first, handler));
        }
        ready!(self.socket.poll_read_ready(context))?;
        BUFFER
            .with_borrow_mut(|buffer| {
                let mut count = 0;
                let read = self.socket.try_io(Interest::READABLE, || {
                    count = recv(&self.socket, &mut buffer[..], RecvFlags::empty())?.0;
                    match count {
                        0 => Err(io::ErrorKind::UnexpectedEof.into()),
                        // A short read has emptied the socket. `WouldBlock` tells tokio so, which
                        // saves the system call that would find the socket empty.
                        _ if count < buffer.len() => Err(io::ErrorKind::WouldBlock.into()),
                        _ => Ok(()),
                    }
                });
                match read {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    _ => self.decode(&buffer[..count], handler),
                }
            })
            .into()
    }

    fn decode(&self, bytes: &[u8], handler: &mut impl Handler) -> io::Result<()> {
        let mut is_closed = false;
        let mut has_replied = false;
        self.decoder
            .borrow_mut()
            .feed(bytes, &mut |event| match event {
                Event::Message(message) => match self.dialect.parse(message) {
                    Incoming::Payload(payload) => handler.message(payload),
                    Incoming::Joined => self.has_joined.set(true),
                    Incoming::Ignored => {}
                    Incoming::ReplyWith(reply) => {
                        frame::write(&mut self.outgoing.borrow_mut(), frame::TEXT, &[reply]);
                        has_replied = true;
                    }
                },
                Event::Ping(payload) => {
                    frame::write(&mut self.outgoing.borrow_mut(), frame::PONG, &[payload]);
                    has_replied = true;
                }
                Event::Pong => handler.pong(),
                Event::Close => is_closed = true,
            })?;
        if has_replied && !self.is_blocked.get() {
            // If the socket does not take all of it, the rest leaves with the next message.
            self.write_some();
        }
        match is_closed {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }

    /// Writes as much as the socket takes. Returns whether the queue is empty.
    ///
    /// After an error the queue is discarded, since the connection is closed.
    fn write_some(&self) -> bool {
        let mut outgoing = self.outgoing.borrow_mut();
        while !outgoing.is_empty() {
            match self.socket.try_write(&outgoing) {
                Ok(count) if count == outgoing.len() => outgoing.clear(),
                Ok(count) => drop(outgoing.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => outgoing.clear(),
            }
        }
        // Release a large buffer: thousands of connections may each have sent a large message.
        if outgoing.capacity() > 64 << 10 {
            *outgoing = Vec::new();
        }
        true
    }
}

/// Ignores all messages: the handler for the time before a load begins.
struct Ignore;

impl Handler for Ignore {
    fn message(&mut self, _: &[u8]) {}
}

/// Bounds the reads of one poll, so that a busy connection does not keep the others waiting.
const READS_PER_POLL: usize = 4;
