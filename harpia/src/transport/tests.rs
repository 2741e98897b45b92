//! One write end and one task, step by step: order, blocking, endings.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::options::Slow;
use crate::protocol::frame;

use super::test_peer::{Frame, TestPeer, Wire};
use super::*;

/// A connection's task as far as its write end knows it.
struct Task {
    wire: Wire,
    transport: Transport,
    far: TestPeer,
    woken: Arc<Woken>,
    waker: Waker,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn new(limits: Limits) -> Self {
        let wire = Wire::new();
        let (transport, far) = wire.narrow(limits);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        transport.attach(&waker);
        Self {
            wire,
            transport,
            far,
            woken,
            waker,
        }
    }

    /// Sends more than the socket takes.
    fn block(&self) {
        assert!(matches!(
            self.transport.send(&large()),
            SendStatus::Queued(_)
        ));
    }

    fn poll_drain(&self) -> Poll<()> {
        self.transport
            .poll_drain(&mut Context::from_waker(&self.waker))
    }

    /// Has the peer read and the task drain, until nothing waits.
    fn drain(&self) -> Vec<Frame> {
        let mut bytes = Vec::new();
        while self.poll_drain().is_pending() {
            bytes.extend(self.far.read());
            self.wire.turn();
        }
        bytes.extend(self.far.read());
        let (frames, rest) = test_peer::split(&bytes);
        assert_eq!(rest, 0, "a frame is torn");
        frames
    }

    /// Drains, and returns what came behind the message that blocked.
    fn drain_behind(&self) -> Vec<Frame> {
        let mut frames = self.drain();
        assert!(frames.remove(0) == Frame::text(large().as_bytes()));
        frames
    }

    fn wakes(&self) -> usize {
        self.woken.0.load(Ordering::Relaxed)
    }
}

/// Begun, but not taken whole by a socket of the smallest buffer.
fn large() -> Message {
    "large".repeat(5000).into()
}

fn batch(text: &str) -> Bytes {
    frame::encode(&text.into())
}

fn write_batch(transport: &Transport, text: &str) -> SendStatus {
    transport.write_batch(&mut Batch::of(&batch(text)))
}

fn frame() -> CloseFrame {
    CloseFrame::new(CloseCode::NORMAL, "bye")
}

#[test]
fn whoever_blocks_it_wakes_the_task_and_the_drained_outbox_is_news_once() {
    let task = Task::new(Limits::default());
    assert!(task.transport.has_no_events());
    task.block();
    assert_eq!(task.wakes(), 1);
    assert!(!task.transport.has_no_events());
    assert!(task.poll_drain().is_pending());
    assert!(matches!(
        task.transport.send(&"next".into()),
        SendStatus::Queued(_)
    ));
    assert!(matches!(
        write_batch(&task.transport, "batch"),
        SendStatus::Queued(_)
    ));
    assert_eq!(task.wakes(), 1);
    let behind = task.drain_behind();
    assert_eq!(behind, [Frame::text("next"), Frame::text("batch")]);
    assert!(task.wakes() > 1, "the socket wakes the task");
    assert!(matches!(
        task.transport.next_event(),
        TransportEvent::Drained
    ));
    assert!(matches!(task.transport.next_event(), TransportEvent::None));
    assert!(task.transport.has_no_events());
    assert_eq!(task.transport.send(&"open again".into()), SendStatus::Sent);
    assert_eq!(task.far.frames(), [Frame::text("open again")]);
}

#[test]
fn of_the_pongs_that_wait_the_newest_is_sent_and_ahead_of_the_data() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.send(&"data".into());
    for payload in ["first", "second", "third"] {
        task.transport.pong(payload.as_bytes());
    }
    let behind = task.drain_behind();
    assert_eq!(behind, [Frame::pong("third"), Frame::text("data")]);
}

#[test]
fn our_ping_does_not_replace_a_pong_that_waits_but_waits_by_itself() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.pong(b"owed");
    task.transport.ping();
    assert_eq!(task.drain_behind(), [Frame::pong("owed")]);
    task.block();
    task.transport.ping();
    assert_eq!(task.drain_behind(), [Frame::ping()]);
}

#[test]
fn a_failure_drops_what_waits_except_the_frame_under_way() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.send(&"dropped".into());
    task.transport.pong(b"dropped");
    task.transport.send_close_now(&frame());
    assert!(!task.transport.is_flushed());
    let behind = task.drain_behind();
    assert_eq!(behind.len(), 1);
    assert_eq!(behind[0].close_code(), Some(1000));
    assert!(task.transport.is_flushed());
}

#[test]
fn before_a_failure_what_was_answered_already_goes_out() {
    let task = Task::new(Limits::default());
    task.transport.cork();
    task.transport.send(&"answered".into());
    task.transport.send_close_now(&frame());
    task.transport.uncork();
    let frames = task.far.frames();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1].close_code(), Some(1000));
}

#[test]
fn the_close_frame_goes_behind_what_waits_and_wakes_the_task() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.send(&"kept".into());
    let wakes = task.wakes();
    task.transport.send_close(&frame());
    assert_eq!(task.wakes(), wakes + 1);
    let behind = task.drain_behind();
    assert_eq!(behind[0], Frame::text("kept"));
    assert_eq!(behind[1].close_code(), Some(1000));
    assert_eq!(behind.len(), 2);
}

#[test]
fn a_close_frame_is_sent_once_and_nothing_after_it() {
    let task = Task::new(Limits::default());
    task.transport.send_close(&frame());
    task.transport.send_close_now(&frame());
    task.transport.send_close(&frame());
    task.transport.pong(b"late");
    task.transport.ping();
    task.transport.cork();
    assert_eq!(task.transport.send(&"late".into()), SendStatus::Closed);
    assert_eq!(write_batch(&task.transport, "late"), SendStatus::Closed);
    task.transport.uncork();
    let frames = task.far.frames();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].close_code(), Some(1000));
}

#[test]
fn an_ending_stops_sends_at_once_but_not_what_the_hub_still_owes() {
    let task = Task::new(Limits::default());
    assert!(
        task.transport
            .request_close(Close::new(CloseCause::Handler, frame()))
    );
    assert!(
        !task.transport.request_close(Close::of(CloseCause::Idle)),
        "the first to request_close decides"
    );
    assert_eq!(task.transport.close_frame(), Some(frame()));
    assert_eq!(task.transport.send(&"late".into()), SendStatus::Closed);
    assert_eq!(write_batch(&task.transport, "owed"), SendStatus::Sent);
    assert_eq!(task.far.frames(), [Frame::text("owed")]);
    assert_eq!(task.transport.cause(), Some(CloseCause::Handler));
    assert!(matches!(
        task.transport.next_event(),
        TransportEvent::Close(_)
    ));
    assert_eq!(task.transport.cause(), Some(CloseCause::Handler));
    assert!(matches!(
        task.transport.next_event(),
        TransportEvent::Close(_)
    ));
}

#[test]
fn a_full_backlog_closes_the_slow_peer_with_1013() {
    let task = Task::new(Limits {
        backlog: 4000,
        ..Limits::default()
    });
    task.block();
    assert_eq!(task.transport.send(&"too much".into()), SendStatus::Closed);
    assert_eq!(task.transport.send(&"late".into()), SendStatus::Closed);
    assert_eq!(write_batch(&task.transport, "late"), SendStatus::Closed);
    task.transport.pong(b"late");
    assert!(matches!(
        task.transport.next_event(),
        TransportEvent::Close(Close {
            cause: CloseCause::SlowConsumer,
            ..
        })
    ));
    let behind = task.drain_behind();
    assert_eq!(behind.len(), 1);
    assert_eq!(behind[0].close_code(), Some(1013));
}

#[test]
fn a_skipping_peer_misses_whole_messages_until_nothing_waits() {
    let task = Task::new(Limits {
        backlog: 4000,
        slow: Slow::Skip,
        ..Limits::default()
    });
    task.block();
    assert_eq!(task.transport.send(&"missed".into()), SendStatus::Dropped);
    assert_eq!(write_batch(&task.transport, "missed"), SendStatus::Dropped);
    task.transport.pong(b"passes");
    assert_eq!(task.drain_behind(), [Frame::pong("passes")]);
    assert_eq!(task.transport.send(&"again".into()), SendStatus::Sent);
    assert_eq!(task.far.frames(), [Frame::text("again")]);
}

#[test]
fn a_peer_that_is_gone_ends_the_connection_and_wakes_the_task() {
    let task = Task::new(Limits::default());
    let Task { transport, far, .. } = &task;
    transport.cork();
    transport.send(&"never read".into());
    far.close();
    transport.uncork();
    assert!(task.woken.0.load(Ordering::Relaxed) > 0);
    assert!(matches!(
        transport.next_event(),
        TransportEvent::Close(Close {
            cause: CloseCause::Lost,
            ..
        })
    ));
    assert!(transport.is_lost() && transport.is_flushed());
    assert_eq!(transport.send(&"late".into()), SendStatus::Closed);
}

#[test]
fn what_waits_counts_in_the_budget_until_it_is_written_or_the_task_ends() {
    let task = Task::new(Limits::default());
    task.block();
    let held = || Arc::strong_count(&task.transport.budget) > 1;
    assert!(held());
    task.drain();
    assert!(!held());
    task.block();
    assert!(held());
    let known = Arc::strong_count(&task.woken);
    task.transport.release_task();
    assert!(!held());
    assert_eq!(Arc::strong_count(&task.woken), known - 1);
    assert_eq!(task.transport.send(&"late".into()), SendStatus::Closed);
}
