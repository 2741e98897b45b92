//! A stress test: many threads write to one transport whose socket accepts little at a time.

use std::future::poll_fn;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::SockRef;
use tokio::runtime::Builder;

use crate::budget::Budget;
use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::id::ConnectionId;
use crate::limits::Limits;
use crate::message::Message;
use crate::protocol::frame;

use super::test_peer::{Frame, split};
use super::{Batch, SendStatus, Signal, Stream, Transport, TransportEvent};

const HANDLER: u8 = 0;
const PEER: u8 = 1;
const OTHER_PEER: u8 = 2;
const FLUSHER: u8 = 3;
const PONGS: u8 = 4;

/// The number of messages that each writer writes.
const MESSAGES: u32 = 1200;

/// Returns the payload of a message: its writer, its number, and padding of varying length.
fn payload(writer: u8, number: u32) -> Vec<u8> {
    let len = match number % 7 {
        0 => 12_000,
        1 => 3000,
        2 => 200,
        _ => 0,
    };
    let mut payload = vec![writer];
    payload.extend(number.to_be_bytes());
    payload.resize(5 + len, writer);
    payload
}

fn message(writer: u8, number: u32) -> Message {
    payload(writer, number).into()
}

/// Returns the writer and the number of a message that was made by `payload`.
fn read(frame: &Frame) -> (u8, u32) {
    let (head, _) = frame.payload.split_first_chunk::<5>().unwrap();
    let [writer, a, b, c, d] = *head;
    (writer, u32::from_be_bytes([a, b, c, d]))
}

/// Returns the server's and the client's socket of a TCP connection with a small send buffer.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    SockRef::from(&server).set_send_buffer_size(2048).unwrap();
    server.set_nodelay(true).unwrap();
    server.set_nonblocking(true).unwrap();
    (server, client)
}

/// A stand-in for the connection's task: it sends corked messages and drains the outbox.
struct Task {
    transport: Arc<Transport>,
    sent: u32,
    drained: usize,
}

impl Task {
    fn poll(&mut self, context: &mut Context<'_>, is_over: &AtomicBool) -> Poll<usize> {
        self.transport.attach(context.waker());
        let polled = self.step(context, is_over);
        if self.transport.poll_flush(context) {
            context.waker().wake_by_ref();
        }
        polled
    }

    fn step(&mut self, context: &mut Context<'_>, is_over: &AtomicBool) -> Poll<usize> {
        if self.transport.poll_drain(context).is_pending() {
            return Poll::Pending;
        }
        if !self.transport.is_closing()
            && matches!(self.transport.next_event(), TransportEvent::Drained)
        {
            self.drained += 1;
        }
        if self.sent < MESSAGES {
            self.transport.cork();
            for _ in 0..3 {
                assert_ne!(
                    self.transport.send(&message(HANDLER, self.sent)),
                    SendStatus::Closed
                );
                self.sent += 1;
            }
            self.transport.uncork();
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.transport.is_flushed() {
            return Poll::Ready(self.drained);
        }
        if is_over.swap(false, Ordering::AcqRel) {
            let frame = CloseFrame::bare(CloseCode::NORMAL);
            // A connection requests a close, too. Without the request, `poll_flush` would not
            // ask for the last poll, after the close frame is written.
            let close = Close::new(CloseCause::Handler, frame.clone());
            self.transport.request_close(close);
            self.transport.send_close(&frame);
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

fn send(transport: &Transport, writer: u8) {
    for number in 0..MESSAGES {
        pace(transport, transport.send(&message(writer, number)));
    }
}

/// Writes batches, some at once and some as owed batches.
fn write_batches(transport: &Transport) {
    let mut owed = None;
    for number in (0..MESSAGES).step_by(3) {
        let frames = (number..number + 3).map(|one| frame::encode(&message(FLUSHER, one)));
        let batch = frames.collect::<Vec<Bytes>>().concat();
        if number % 12 < 6 {
            assert!(transport.owe(&mut owed, &mut Batch::new(&batch)));
            continue;
        }
        if let Some(owed) = owed.take() {
            transport.write_owed(*owed);
        }
        pace(transport, transport.write_batch(&mut Batch::new(&batch)));
    }
    assert!(owed.is_none(), "the last batch must not be an owed one");
}

fn pong(transport: &Transport) {
    for number in 0..MESSAGES {
        transport.pong(&payload(PONGS, number)[..5]);
        pace(transport, SendStatus::Sent);
    }
}

/// Yields to the other threads. If many bytes wait, this function waits until the outbox is
/// written, so that the transport switches between blocked and open many times.
fn pace(transport: &Transport, status: SendStatus) {
    assert_ne!(status, SendStatus::Closed);
    thread::yield_now();
    if matches!(status, SendStatus::Queued(MAX_WAITING..)) {
        let start = Instant::now();
        while transport.signals.has(Signal::Blocked) {
            assert!(
                start.elapsed() < DRAIN_TIMEOUT,
                "the task does not drain the outbox"
            );
            thread::yield_now();
        }
    }
}

/// The number of waiting bytes above which a writer waits.
const MAX_WAITING: usize = 10_000;

/// How long a writer waits before the test fails.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn concurrent_writers_never_tear_lose_or_reorder_frames() {
    write_concurrently(Stream::direct);
}

#[test]
fn concurrent_writers_to_a_buffered_stream_never_tear_lose_or_reorder_frames() {
    write_concurrently(|stream| Stream::buffered(Box::pin(stream)));
}

fn write_concurrently(make_stream: impl FnOnce(tokio::net::TcpStream) -> Stream) {
    let (server, mut client) = connection();
    // One worker thread for the task. The writers have threads of their own, like the flusher.
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_io().build().unwrap();
    let stream = {
        let _context = runtime.enter();
        tokio::net::TcpStream::from_std(server).unwrap()
    };
    let limits = Limits {
        backlog: usize::MAX,
        ..Limits::default()
    };
    let (id, budget) = (ConnectionId::new(0, 0), Arc::new(Budget::new(usize::MAX)));
    let transport = Arc::new(Transport::new(
        make_stream(stream),
        id,
        Arc::new(limits),
        budget,
        None,
        1,
    ));
    let is_over = Arc::new(AtomicBool::new(false));

    let mut task = Task {
        transport: Arc::clone(&transport),
        sent: 0,
        drained: 0,
    };
    let over = Arc::clone(&is_over);
    // Ends when the close frame is written.
    let task = runtime.spawn(async move {
        let drained = poll_fn(|context| task.poll(context, &over)).await;
        task.transport.shut_down_writes();
        poll_fn(|context| {
            let _ = task.transport.poll_flush(context);
            match task.transport.is_flushed() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        drained
    });
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        client.read_to_end(&mut bytes).map(|_| bytes)
    });
    thread::scope(|scope| {
        scope.spawn(|| send(&transport, PEER));
        scope.spawn(|| send(&transport, OTHER_PEER));
        scope.spawn(|| write_batches(&transport));
        scope.spawn(|| pong(&transport));
    });
    is_over.store(true, Ordering::Release);
    transport.wake_task();
    let drained = runtime.block_on(task).unwrap();
    let bytes = reader.join().unwrap().unwrap();
    println!("{} bytes, {drained} times blocked", bytes.len());
    assert!(drained > 0, "the transport was never blocked");
    check(&bytes);
}

/// Asserts that all frames are whole, that none is missing except pongs, and that each writer's
/// frames are in order.
fn check(bytes: &[u8]) {
    let (mut frames, rest) = split(bytes);
    assert_eq!(rest, 0, "the last frame is incomplete");
    assert_eq!(frames.pop().and_then(|last| last.close_code()), Some(1000));
    let mut next = [0; 5];
    for frame in &frames {
        let (writer, number) = read(frame);
        let next = &mut next[usize::from(writer)];
        if writer == PONGS {
            assert!(frame.opcode == 10 && number >= *next, "{frame:?}");
        } else {
            assert!(frame.opcode == 2 && number == *next, "{frame:?}");
            assert!(
                frame.payload == payload(writer, number),
                "a frame is torn: {frame:?}"
            );
        }
        *next = number + 1;
    }
    assert_eq!(next, [MESSAGES; 5], "the last frame of a writer is missing");
}
