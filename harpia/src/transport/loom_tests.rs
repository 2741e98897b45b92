//! Loom tests of one transport: no order of its threads loses a wake-up or a message.
//!
//! The locks and atomics are loom's. The socket is the operating system's. After a lost wake-up,
//! the task waits forever, and loom reports a deadlock.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use loom::thread;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::limits::Limits;
use crate::protocol::frame;
use crate::sync::{Condvar, Mutex, explore};

use super::test_peer::{Frame, TestPeer, TestSockets, split};
use super::{Batch, SendStatus, Transport, TransportEvent};

/// A stand-in for a parked task. Its thread waits until the waker is called.
pub(crate) struct Parked {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Parked {
    /// Returns a parked thread and the waker that wakes it.
    pub(crate) fn waker() -> (Arc<Self>, Waker) {
        let parked = Arc::new(Self {
            woken: Mutex::new(false),
            changed: Condvar::new(),
        });
        (Arc::clone(&parked), parked.into())
    }

    /// Blocks the thread until the waker was called.
    pub(crate) fn wait(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.changed.wait(woken).unwrap();
        }
        *woken = false;
    }
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

/// Uses the transport as a connection's task does, until the close frame is written.
///
/// The peer reads whenever the task has nothing to do. Returns the frames that it read.
/// `begin_flushing` is called once, when a close was requested.
pub(crate) fn run_task(
    sockets: &TestSockets,
    transport: &Transport,
    peer: &TestPeer,
    mut begin_flushing: impl FnMut(CloseFrame),
) -> Vec<Frame> {
    let (parked, waker) = Parked::waker();
    let mut context = Context::from_waker(&waker);
    let mut bytes = Vec::new();
    let mut has_left = false;
    loop {
        transport.attach(&waker);
        if !transport.has_no_events() {
            let _ = transport.poll_drain(&mut context);
        }
        if !has_left && let TransportEvent::Close(close) = transport.next_event() {
            has_left = true;
            begin_flushing(close.frame);
        }
        if has_left && transport.is_flushed() {
            break;
        }
        bytes.extend(peer.read());
        sockets.turn();
        parked.wait();
    }
    bytes.extend(peer.read());
    transport.release_task();
    let (frames, rest) = split(&bytes);
    assert_eq!(rest, 0, "the last frame is incomplete");
    frames
}

/// One frame, larger than the socket's buffer.
fn large() -> Vec<u8> {
    frame::encode(&"x".repeat(9000).into()).to_vec()
}

/// Asserts that a frame was written once if it was accepted, and that the close frame came last.
fn check(frames: &[Frame], wanted: &[(Frame, SendStatus)]) {
    let (close, frames) = frames.split_last().unwrap();
    assert_eq!(close.close_code(), Some(1000));
    for (frame, status) in wanted {
        let times = frames.iter().filter(|one| *one == frame).count();
        assert_eq!(times, usize::from(status.is_accepted()), "{frame:?}");
    }
}

#[test]
fn the_task_drains_and_closes_while_other_threads_write_and_request_a_close() {
    let sockets = Arc::new(TestSockets::new());
    explore(move || {
        let (transport, peer) = sockets.narrow(Limits::default());
        let transport = Arc::new(transport);
        let writer = thread::spawn({
            let transport = Arc::clone(&transport);
            move || transport.write_batch(&mut Batch::new(&large()))
        });
        let closer = thread::spawn({
            let transport = Arc::clone(&transport);
            move || {
                transport.pong(b"pong");
                transport.request_close(Close::new(
                    CloseCause::Handler,
                    CloseFrame::bare(CloseCode::NORMAL),
                ));
            }
        });
        let frames = run_task(&sockets, &transport, &peer, |frame| {
            transport.send_close(&frame)
        });
        closer.join().unwrap();
        let status = writer.join().unwrap();
        let batch = Frame::text("x".repeat(9000));
        check(
            &frames,
            &[(batch, status), (Frame::pong("pong"), SendStatus::Sent)],
        );
    });
}

#[test]
fn sends_of_a_peer_are_neither_lost_nor_reordered_while_the_task_corks() {
    let sockets = Arc::new(TestSockets::new());
    explore(move || {
        let (transport, peer) = sockets.narrow(Limits::default());
        let transport = Arc::new(transport);
        let sender = thread::spawn({
            let transport = Arc::clone(&transport);
            move || ["1", "2"].map(|text| transport.send(&text.into()))
        });
        transport.cork();
        let handler = transport.send(&"a".into());
        transport.uncork();
        transport.pong(b"pong");
        transport.request_close(Close::new(
            CloseCause::Handler,
            CloseFrame::bare(CloseCode::NORMAL),
        ));
        let frames = run_task(&sockets, &transport, &peer, |frame| {
            transport.send_close(&frame)
        });
        let [one, two] = sender.join().unwrap();
        let texts = [("a", handler), ("1", one), ("2", two)];
        check(
            &frames,
            &texts.map(|(text, status)| (Frame::text(text), status)),
        );
        let position = |text| frames.iter().position(|one| *one == Frame::text(text));
        assert!(position("2").is_none() || position("1") < position("2"));
    });
}

#[test]
fn dropping_unsent_bytes_wakes_the_parked_task() {
    let sockets = Arc::new(TestSockets::new());
    explore(move || {
        let (transport, peer) = sockets.narrow(Limits::default());
        let transport = Arc::new(transport);
        let writer = thread::spawn({
            let transport = Arc::clone(&transport);
            move || transport.drop_outbox()
        });
        let frames = run_task(&sockets, &transport, &peer, |frame| {
            transport.send_close(&frame)
        });
        writer.join().unwrap();
        assert_eq!(frames, []);
    });
}
