//! One WebSocket connection of the generator, on its one thread: reads in large pieces, writes what
//! is queued, never waits for itself.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::spawn_local;

use crate::dialect::{Dialect, Heard};
use crate::frame::{self, Event, Incoming};

/// What a load does with what a connection receives.
pub(crate) trait Inbox {
    /// A message came.
    fn message(&mut self, payload: &[u8]);

    /// A pong came.
    fn pong(&mut self) {}

    /// All messages of one read have been handed over.
    fn read_done(&mut self) {}
}

/// An open connection.
pub(crate) struct Connection {
    socket: TcpStream,
    dialect: Dialect,
    outgoing: RefCell<Vec<u8>>,
    /// A task waits for the socket to take the rest.
    is_blocked: Cell<bool>,
    incoming: RefCell<Incoming>,
    /// What came with the handshake, until the first read.
    first: RefCell<Vec<u8>>,
    has_joined: Cell<bool>,
}

thread_local! {
    /// One buffer for all reads: an idle connection of the generator holds none.
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
            incoming: RefCell::default(),
            first: RefCell::new(first),
        }
    }

    /// Queues one message.
    pub(crate) fn queue(&self, payload: &[u8]) {
        let (start, end) = self.dialect.around();
        let mut outgoing = self.outgoing.borrow_mut();
        frame::write(&mut outgoing, frame::TEXT, &[start, payload, end]);
    }

    /// Queues a ping.
    pub(crate) fn queue_ping(&self) {
        frame::write(&mut self.outgoing.borrow_mut(), frame::PING, &[]);
    }

    /// Writes what is queued. When the socket takes no more, a task writes the rest, which ends
    /// with the socket.
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

    /// Reads until the connection ends.
    pub(crate) async fn run(self: Rc<Self>, mut inbox: impl Inbox) {
        poll_fn(|context| {
            for _ in 0..READS_IN_A_ROW {
                match self.poll_read(context, &mut inbox) {
                    Poll::Ready(Ok(())) => inbox.read_done(),
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Reads once, and hands over what is whole.
    ///
    /// # Errors
    ///
    /// If the connection is over.
    pub(crate) async fn read(self: &Rc<Self>, inbox: &mut impl Inbox) -> io::Result<()> {
        poll_fn(|context| self.poll_read(context, inbox)).await
    }

    /// Waits until the server has let this connection into its namespace, if there is one.
    pub(crate) async fn join(&self) -> io::Result<()> {
        while !self.has_joined.get() {
            poll_fn(|context| self.poll_read(context, &mut Nobody)).await?;
        }
        Ok(())
    }

    fn poll_read(&self, context: &mut Context<'_>, inbox: &mut impl Inbox) -> Poll<io::Result<()>> {
        let first = self.first.take();
        if !first.is_empty() {
            return Poll::Ready(self.take_in(&first, inbox));
        }
        ready!(self.socket.poll_read_ready(context))?;
        BUFFER
            .with_borrow_mut(|buffer| {
                let mut count = 0;
                let read = self.socket.try_io(Interest::READABLE, || {
                    count = recv(&self.socket, &mut buffer[..], RecvFlags::empty())?.0;
                    match count {
                        0 => Err(io::ErrorKind::UnexpectedEof.into()),
                        // A short read has emptied the socket: to say so spares the call that would
                        // find it empty.
                        _ if count < buffer.len() => Err(io::ErrorKind::WouldBlock.into()),
                        _ => Ok(()),
                    }
                });
                match read {
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                    _ => self.take_in(&buffer[..count], inbox),
                }
            })
            .into()
    }

    fn take_in(&self, bytes: &[u8], inbox: &mut impl Inbox) -> io::Result<()> {
        let mut is_closed = false;
        let mut has_answered = false;
        self.incoming
            .borrow_mut()
            .feed(bytes, &mut |event| match event {
                Event::Message(message) => match self.dialect.hear(message) {
                    Heard::Payload(payload) => inbox.message(payload),
                    Heard::Joined => self.has_joined.set(true),
                    Heard::Nothing => {}
                    Heard::Answer(answer) => {
                        frame::write(&mut self.outgoing.borrow_mut(), frame::TEXT, &[answer]);
                        has_answered = true;
                    }
                },
                Event::Ping(payload) => {
                    frame::write(&mut self.outgoing.borrow_mut(), frame::PONG, &[payload]);
                    has_answered = true;
                }
                Event::Pong => inbox.pong(),
                Event::Close => is_closed = true,
            })?;
        if has_answered && !self.is_blocked.get() {
            // What does not fit leaves with the next message.
            self.write_some();
        }
        match is_closed {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }

    /// Returns whether nothing is left to write, or nobody to write to.
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
        // A large message must not stay with each of thousands of connections.
        if outgoing.capacity() > 64 << 10 {
            *outgoing = Vec::new();
        }
        true
    }
}

/// Hears nothing: for the time before a load begins.
struct Nobody;

impl Inbox for Nobody {
    fn message(&mut self, _: &[u8]) {}
}

/// One connection must not keep all others waiting.
const READS_IN_A_ROW: usize = 4;
