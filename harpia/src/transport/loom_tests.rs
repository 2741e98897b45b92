//! Writers and the task in every order: no wake-up is lost, and no message.
//!
//! The locks and atomics are loom's; the socket is the system's. A thread that waits for ever, as
//! the task would after a lost wake-up, is a deadlock, which loom reports.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use loom::thread;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::limits::Limits;
use crate::protocol::frame;
use crate::sync::{Condvar, Mutex, explore};

use super::test_peer::{Frame, TestPeer, Wire, split};
use super::{Batch, SendStatus, Transport, TransportEvent};

/// A thread that waits as a task does: until it is woken.
pub(crate) struct Parked {
    woken: Mutex<bool>,
    next_event: Condvar,
}

impl Parked {
    pub(crate) fn waker() -> (Arc<Self>, Waker) {
        let parked = Arc::new(Self {
            woken: Mutex::new(false),
            next_event: Condvar::new(),
        });
        (Arc::clone(&parked), parked.into())
    }

    pub(crate) fn wait(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !*woken {
            woken = self.next_event.wait(woken).unwrap();
        }
        *woken = false;
    }
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.next_event.notify_one();
    }
}

/// Does what a connection's task does with its write end, until the close frame is out. The peer
/// reads when the task has nothing to do. Returns what it read.
pub(crate) fn run_task(
    wire: &Wire,
    transport: &Transport,
    far: &TestPeer,
    mut leave_hub: impl FnMut(CloseFrame),
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
            leave_hub(close.frame);
        }
        if has_left && transport.is_flushed() {
            break;
        }
        bytes.extend(far.read());
        wire.turn();
        parked.wait();
    }
    bytes.extend(far.read());
    transport.release_task();
    let (frames, rest) = split(&bytes);
    assert_eq!(rest, 0, "a frame is torn");
    frames
}

fn large() -> Vec<u8> {
    frame::encode(&"x".repeat(9000).into()).to_vec()
}

/// A batch is written if it was accepted, and the close frame is the last.
fn check(frames: &[Frame], wanted: &[(Frame, SendStatus)]) {
    let (close, frames) = frames.split_last().unwrap();
    assert_eq!(close.close_code(), Some(1000));
    for (frame, status) in wanted {
        let times = frames.iter().filter(|one| *one == frame).count();
        assert_eq!(times, usize::from(status.is_accepted()), "{frame:?}");
    }
}

#[test]
fn the_task_drains_and_ends_whoever_blocks_it_and_asks_it_to() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let (transport, far) = wire.narrow(Limits::default());
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
        let frames = run_task(&wire, &transport, &far, |frame| {
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
fn what_a_peer_sends_while_the_handler_is_corked_is_neither_lost_nor_behind_the_end() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let (transport, far) = wire.narrow(Limits::default());
        let transport = Arc::new(transport);
        let peer = thread::spawn({
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
        let frames = run_task(&wire, &transport, &far, |frame| {
            transport.send_close(&frame)
        });
        let [one, two] = peer.join().unwrap();
        let texts = [("a", handler), ("1", one), ("2", two)];
        check(
            &frames,
            &texts.map(|(text, status)| (Frame::text(text), status)),
        );
        let place = |text| frames.iter().position(|one| *one == Frame::text(text));
        assert!(place("2").is_none() || place("1") < place("2"));
    });
}

#[test]
fn who_is_gone_wakes_the_task_that_waits() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let (transport, far) = wire.narrow(Limits::default());
        let transport = Arc::new(transport);
        let writer = thread::spawn({
            let transport = Arc::clone(&transport);
            move || transport.drop_unsent()
        });
        let frames = run_task(&wire, &transport, &far, |frame| {
            transport.send_close(&frame)
        });
        writer.join().unwrap();
        assert_eq!(frames, []);
    });
}
