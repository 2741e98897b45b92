//! The byte stream of a connection: a socket that any thread writes, or a stream with a write
//! buffer.
//!
//! The flusher writes from a thread of its own, with system calls that never wait. TCP and Unix
//! sockets allow that. Any other stream, such as TLS, can only be polled by the connection's task.
//! Writers append to the buffer of such a stream, and the task writes the buffer.

use std::io::{self, IoSlice, Read};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{PoisonError, RwLock};
use std::task::{Context, Poll, Waker, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::limits::WRITE_BUFFER;
use crate::sync::{Mutex, MutexGuard};

use super::hang_up::has_hung_up;
use super::unsent;

/// A stream that only a task can read and write.
pub(crate) trait AsyncStream: AsyncRead + AsyncWrite + Send {
    /// Returns how many bytes the kernel has for the peer, or zero if that is not known.
    fn unsent(&self) -> usize {
        0
    }
}

/// The byte stream of a connection.
pub(crate) enum Stream {
    /// A TCP or Unix socket.
    Direct(DirectSocket),
    /// Any other stream, with its write buffer.
    Buffered(Box<Buffered>),
}

/// A socket, until the connection's task ends.
///
/// The system calls of TCP and Unix sockets are the same, so tokio's `TcpStream` serves both. This
/// keeps a connection as small as if there were one kind of socket.
///
/// The task closes the socket when it ends. The hub may hold the transport for up to a tick longer.
/// To close thousands of sockets there would delay the delivery of broadcasts. Only the close takes
/// the lock for writing, so all other calls can hold it at the same time.
pub(crate) struct DirectSocket(RwLock<Option<TcpStream>>);

impl DirectSocket {
    /// Calls `call` with the socket, or fails if it is closed.
    #[inline]
    fn with<T>(&self, call: impl FnOnce(&TcpStream) -> io::Result<T>) -> io::Result<T> {
        let socket = self.0.read().unwrap_or_else(PoisonError::into_inner);
        socket.as_ref().map_or_else(|| Err(closed()), call)
    }

    /// Like [`with`](Self::with), for a call that may have to wait.
    #[inline]
    fn poll_with<T>(
        &self,
        call: impl FnOnce(&TcpStream) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let socket = self.0.read().unwrap_or_else(PoisonError::into_inner);
        socket
            .as_ref()
            .map_or_else(|| Poll::Ready(Err(closed())), call)
    }

    fn close(&self) {
        let socket = self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(socket);
    }

    /// Returns the socket, to set an option of it.
    #[cfg(test)]
    pub(super) fn configure(&self, set: impl FnOnce(SockRef<'_>) -> io::Result<()>) {
        self.with(|socket| set(SockRef::from(socket))).unwrap();
    }
}

fn closed() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl Stream {
    pub(crate) fn direct(socket: TcpStream) -> Self {
        Self::Direct(DirectSocket(RwLock::new(Some(socket))))
    }

    pub(crate) fn buffered(io: Pin<Box<dyn AsyncStream>>) -> Self {
        Self::Buffered(Box::new(Buffered {
            io: Mutex::new(Io {
                stream: io,
                writing: Vec::new(),
                written: 0,
                peeked: None,
            }),
            out: Mutex::new(Out::default()),
        }))
    }

    /// Writes without waiting. For a buffered stream, appends to the buffer and wakes the task.
    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            // `write` is cheaper than `writev`, and most writes have one slice.
            (Self::Direct(socket), [single]) => socket.with(|socket| socket.try_write(single)),
            (Self::Direct(socket), _) => socket.with(|socket| socket.try_write_vectored(slices)),
            (Self::Buffered(buffered), _) => buffered.append(slices),
        }
    }

    /// Waits until a write can take at least one byte. Only the connection's task calls this.
    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Direct(socket) => socket.poll_with(|socket| socket.poll_write_ready(context)),
            Self::Buffered(buffered) => {
                let flushed = buffered.poll_flush(context);
                match flushed {
                    Poll::Pending if buffered.out().room() > 0 => Poll::Ready(Ok(())),
                    flushed => flushed,
                }
            }
        }
    }

    /// Writes the buffer, and waits until it is written. Only the connection's task calls this.
    #[inline]
    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Direct(_) => Poll::Ready(Ok(())),
            Self::Buffered(buffered) => buffered.poll_flush(context),
        }
    }

    /// Returns whether the write buffer is empty. A failed stream counts as empty.
    pub(super) fn is_flushed(&self) -> bool {
        match self {
            Self::Direct(_) => true,
            Self::Buffered(buffered) => {
                let out = buffered.out();
                out.failed || out.is_flushed
            }
        }
    }

    /// Returns how many bytes wait for the peer in the write buffer and in the kernel, or `None` if
    /// the task is using the stream at this moment.
    pub(super) fn unsent(&self) -> Option<usize> {
        match self {
            Self::Direct(socket) => {
                let unsent = socket.with(|socket| Ok(unsent::of(socket)));
                Some(unsent.unwrap_or_default())
            }
            Self::Buffered(buffered) => buffered.unsent(),
        }
    }

    /// Returns whether the peer has reset the connection, as far as a look at the socket can tell. A
    /// buffered stream would have to be read for that, and gets `false`.
    pub(super) fn has_hung_up(&self) -> bool {
        match self {
            Self::Direct(socket) => {
                let has_hung_up = socket.with(|socket| Ok(has_hung_up(socket)));
                has_hung_up.unwrap_or(true)
            }
            Self::Buffered(_) => false,
        }
    }

    /// Stores the waker of the connection's task. Writers wake the task through it.
    #[inline]
    pub(super) fn attach(&self, waker: &Waker) {
        if let Self::Buffered(buffered) = self {
            buffered.out().waker = Some(waker.clone());
        }
    }

    /// Closes the socket of a task that ends, or drops the task's waker.
    pub(super) fn release(&self) {
        match self {
            Self::Direct(socket) => socket.close(),
            Self::Buffered(buffered) => {
                let waker = buffered.out().waker.take();
                drop(waker);
            }
        }
    }

    /// Reads the bytes that have arrived, or registers the task to be woken.
    ///
    /// Zero bytes mean that the peer has closed its side.
    pub(super) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Direct(socket) => socket.poll_with(|socket| {
                let read = || read(socket, buffer);
                poll_socket(socket, context, read)
            }),
            Self::Buffered(buffered) => buffered.poll_read(context, buffer),
        }
    }

    /// Returns the next byte without removing it, or `None` if the peer has closed its side.
    pub(super) fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        match self {
            Self::Direct(socket) => {
                let mut byte = [0];
                let mut buffer = ReadBuf::new(&mut byte);
                let peeked = socket.poll_with(|socket| socket.poll_peek(context, &mut buffer));
                peeked.map_ok(|_| buffer.filled().first().copied())
            }
            Self::Buffered(buffered) => buffered.poll_peek(context),
        }
    }

    /// Shuts down the write direction. The peer can still be read.
    ///
    /// For a buffered stream, the task does this after it has written the buffer.
    pub(super) fn shut_down_writes(&self) {
        match self {
            // This fails if the peer has already reset the connection, which needs no handling.
            Self::Direct(socket) => {
                let _ = socket.with(|socket| SockRef::from(socket).shutdown(Shutdown::Write));
            }
            Self::Buffered(buffered) => {
                let mut out = buffered.out();
                out.shuts_down = true;
                out.is_flushed = false;
                Buffered::wake(out);
            }
        }
    }
}

/// Reads with `read` when the socket is readable.
fn poll_socket(
    socket: &TcpStream,
    context: &mut Context<'_>,
    mut read: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_read_ready(context))?;
        match read() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return Poll::Ready(read),
        }
    }
}

/// Reads once.
///
/// A read that does not fill the buffer has emptied the socket. This function reports `WouldBlock`
/// to tokio in this case, so that tokio waits for the next event and saves a read call that would
/// return nothing. No input is missed: bytes that arrive later, and the end of the stream, cause an
/// event of their own.
fn read(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = None;
    let result = socket.try_io(Interest::READABLE, || {
        let bytes = (&*SockRef::from(socket)).read(buffer)?;
        read = Some(bytes);
        if (1..buffer.len()).contains(&bytes) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    });
    read.map_or_else(|| result.map(|()| 0), Ok)
}

/// A stream that its task polls, and the bytes that other threads want written.
pub(crate) struct Buffered {
    /// The connection's task locks this. The hub's sweep only tries to, and holds the lock for one
    /// system call at most.
    io: Mutex<Io>,
    /// Held while bytes are copied, never while the stream is polled.
    out: Mutex<Out>,
}

struct Io {
    stream: Pin<Box<dyn AsyncStream>>,
    /// The bytes that are being written, and how many of them the stream has taken.
    writing: Vec<u8>,
    written: usize,
    /// A byte that `poll_peek` has read from the stream. `poll_read` returns it first.
    peeked: Option<u8>,
}

struct Out {
    bytes: Vec<u8>,
    /// The length of `Io::writing`. These bytes still take up room in the buffer.
    in_flight: usize,
    /// Whether the stream has taken everything and reported it as flushed.
    is_flushed: bool,
    /// Whether the write direction is shut down after the last byte.
    shuts_down: bool,
    failed: bool,
    waker: Option<Waker>,
}

impl Default for Out {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            in_flight: 0,
            is_flushed: true,
            shuts_down: false,
            failed: false,
            waker: None,
        }
    }
}

impl Out {
    fn room(&self) -> usize {
        WRITE_BUFFER.saturating_sub(self.bytes.len() + self.in_flight)
    }
}

impl Buffered {
    fn append(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut out = self.out();
        if out.failed || out.shuts_down {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut taken = 0;
        for slice in slices {
            let length = slice.len().min(out.room());
            out.bytes.extend_from_slice(&slice[..length]);
            taken += length;
        }
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let was_flushed = std::mem::replace(&mut out.is_flushed, false);
        if was_flushed {
            Self::wake(out);
        }
        Ok(taken)
    }

    /// Unlocks before it wakes the task, because the task may need the lock at once.
    fn wake(out: MutexGuard<'_, Out>) {
        let waker = out.waker.clone();
        drop(out);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out().is_flushed {
            return Poll::Ready(Ok(()));
        }
        let polled = self.poll_write_out(context);
        if let Poll::Ready(Err(_)) = polled {
            let mut out = self.out();
            out.failed = true;
            (out.bytes, out.in_flight) = (Vec::new(), 0);
        }
        polled
    }

    fn poll_write_out(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut io = self.io();
        loop {
            let io = &mut *io;
            while io.written < io.writing.len() {
                let rest = &io.writing[io.written..];
                let taken = ready!(io.stream.as_mut().poll_write(context, rest))?;
                if taken == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                io.written += taken;
            }
            (io.writing, io.written) = (Vec::new(), 0);
            let shuts_down = {
                let mut out = self.out();
                io.writing = std::mem::take(&mut out.bytes);
                out.in_flight = io.writing.len();
                out.shuts_down
            };
            if !io.writing.is_empty() {
                continue;
            }
            ready!(io.stream.as_mut().poll_flush(context))?;
            if shuts_down {
                ready!(io.stream.as_mut().poll_shutdown(context))?;
            }
            // Race: a writer may have appended after this task took the buffer. The writer did not
            // wake the task, because the stream was not marked as flushed. To find such bytes, the
            // task checks the buffer again, under the lock, before it sets the mark.
            let mut out = self.out();
            if out.bytes.is_empty() && out.shuts_down == shuts_down {
                out.is_flushed = true;
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut io = self.io();
        if let (Some(byte), [first, ..]) = (io.peeked.take(), &mut *buffer) {
            *first = byte;
            return Poll::Ready(Ok(1));
        }
        let mut buffer = ReadBuf::new(buffer);
        ready!(io.stream.as_mut().poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn unsent(&self) -> Option<usize> {
        // Race: the task may hold this lock for a write to the stream. The hub's sweep calls this
        // method and must not wait for the task. It tries again soon.
        let in_kernel = self.io.try_lock().ok()?.stream.unsent();
        let out = self.out();
        Some(in_kernel + out.bytes.len() + out.in_flight)
    }

    fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let mut io = self.io();
        if io.peeked.is_none() {
            let mut byte = [0];
            let mut buffer = ReadBuf::new(&mut byte);
            ready!(io.stream.as_mut().poll_read(context, &mut buffer))?;
            io.peeked = buffer.filled().first().copied();
        }
        Poll::Ready(Ok(io.peeked))
    }

    fn io(&self) -> MutexGuard<'_, Io> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
