//! Tests of one transport and one task on one thread: order, backpressure and closing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::options::Slow;
use crate::protocol::frame;

use super::test_peer::{Frame, TestPeer, TestSockets};
use super::*;

/// A stand-in for a connection's task, with its transport and the peer.
struct Task {
    sockets: TestSockets,
    transport: Transport,
    peer: TestPeer,
    wake_counter: Arc<WakeCounter>,
    waker: Waker,
}

/// Counts how often the task was woken.
#[derive(Default)]
struct WakeCounter(AtomicUsize);

impl Wake for WakeCounter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn new(limits: Limits) -> Self {
        let sockets = TestSockets::new();
        let (transport, peer) = sockets.narrow(limits);
        let wake_counter = Arc::new(WakeCounter::default());
        let waker = Waker::from(Arc::clone(&wake_counter));
        transport.attach(&waker);
        Self {
            sockets,
            transport,
            peer,
            wake_counter,
            waker,
        }
    }

    /// Blocks the transport: sends more than the socket takes.
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

    /// Lets the peer read and the task drain until the outbox is empty. Returns the frames.
    fn drain(&self) -> Vec<Frame> {
        let mut bytes = Vec::new();
        while self.poll_drain().is_pending() {
            bytes.extend(self.peer.read());
            self.sockets.turn();
        }
        bytes.extend(self.peer.read());
        let (frames, rest) = test_peer::split(&bytes);
        assert_eq!(rest, 0, "the last frame is incomplete");
        frames
    }

    /// Drains, and returns the frames that came after the message of `block`.
    fn drain_rest(&self) -> Vec<Frame> {
        let mut frames = self.drain();
        assert!(frames.remove(0) == Frame::text(large().as_bytes()));
        frames
    }

    fn wakes(&self) -> usize {
        self.wake_counter.0.load(Ordering::Relaxed)
    }
}

/// A message of which a socket with the smallest buffer takes only a part.
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
fn a_blocked_writer_wakes_the_task_and_the_drained_event_is_returned_once() {
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
    let rest = task.drain_rest();
    assert_eq!(rest, [Frame::text("next"), Frame::text("batch")]);
    assert!(task.wakes() > 1, "the socket wakes the task");
    assert!(matches!(
        task.transport.next_event(),
        TransportEvent::Drained
    ));
    assert!(matches!(task.transport.next_event(), TransportEvent::None));
    assert!(task.transport.has_no_events());
    assert_eq!(task.transport.send(&"open again".into()), SendStatus::Sent);
    assert_eq!(task.peer.frames(), [Frame::text("open again")]);
}

#[test]
fn the_newest_waiting_pong_is_sent_before_the_data() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.send(&"data".into());
    for payload in ["first", "second", "third"] {
        task.transport.pong(payload.as_bytes());
    }
    let rest = task.drain_rest();
    assert_eq!(rest, [Frame::pong("third"), Frame::text("data")]);
}

#[test]
fn a_ping_waits_in_the_outbox_but_does_not_replace_a_waiting_pong() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.pong(b"owed");
    task.transport.ping();
    assert_eq!(task.drain_rest(), [Frame::pong("owed")]);
    task.block();
    task.transport.ping();
    assert_eq!(task.drain_rest(), [Frame::ping()]);
}

#[test]
fn send_close_now_drops_queued_messages_except_the_partial_frame() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.send(&"dropped".into());
    task.transport.pong(b"dropped");
    task.transport.send_close_now(&frame());
    assert!(!task.transport.is_flushed());
    let rest = task.drain_rest();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].close_code(), Some(1000));
    assert!(task.transport.is_flushed());
}

#[test]
fn send_close_now_writes_corked_sends_first() {
    let task = Task::new(Limits::default());
    task.transport.cork();
    task.transport.send(&"answered".into());
    task.transport.send_close_now(&frame());
    task.transport.uncork();
    let frames = task.peer.frames();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1].close_code(), Some(1000));
}

#[test]
fn send_close_queues_the_close_frame_after_waiting_messages_and_wakes_the_task() {
    let task = Task::new(Limits::default());
    task.block();
    task.transport.send(&"kept".into());
    let wakes = task.wakes();
    task.transport.send_close(&frame());
    assert_eq!(task.wakes(), wakes + 1);
    let rest = task.drain_rest();
    assert_eq!(rest[0], Frame::text("kept"));
    assert_eq!(rest[1].close_code(), Some(1000));
    assert_eq!(rest.len(), 2);
}

#[test]
fn a_close_frame_is_sent_once_and_no_frame_follows_it() {
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
    let frames = task.peer.frames();
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].close_code(), Some(1000));
}

#[test]
fn a_requested_close_stops_sends_at_once_but_not_batches_of_the_hub() {
    let task = Task::new(Limits::default());
    assert!(
        task.transport
            .request_close(Close::new(CloseCause::Handler, frame()))
    );
    assert!(
        !task.transport.request_close(Close::of(CloseCause::Idle)),
        "only the first request counts"
    );
    assert_eq!(task.transport.close_frame(), Some(frame()));
    assert_eq!(task.transport.send(&"late".into()), SendStatus::Closed);
    assert_eq!(write_batch(&task.transport, "owed"), SendStatus::Sent);
    assert_eq!(task.peer.frames(), [Frame::text("owed")]);
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
fn a_full_backlog_closes_a_slow_consumer_with_1013() {
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
    let rest = task.drain_rest();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].close_code(), Some(1013));
}

#[test]
fn with_slow_skip_messages_are_dropped_whole_until_the_outbox_is_empty() {
    let task = Task::new(Limits {
        backlog: 4000,
        slow: Slow::Skip,
        ..Limits::default()
    });
    task.block();
    assert_eq!(task.transport.send(&"missed".into()), SendStatus::Dropped);
    assert_eq!(write_batch(&task.transport, "missed"), SendStatus::Dropped);
    task.transport.pong(b"passes");
    assert_eq!(task.drain_rest(), [Frame::pong("passes")]);
    assert_eq!(task.transport.send(&"again".into()), SendStatus::Sent);
    assert_eq!(task.peer.frames(), [Frame::text("again")]);
}

#[test]
fn a_failed_write_closes_the_connection_and_wakes_the_task() {
    let task = Task::new(Limits::default());
    let Task {
        transport, peer, ..
    } = &task;
    transport.cork();
    transport.send(&"never read".into());
    peer.close();
    transport.uncork();
    assert!(task.wake_counter.0.load(Ordering::Relaxed) > 0);
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
fn the_outbox_holds_the_budget_until_it_is_written_or_the_task_ends() {
    let task = Task::new(Limits::default());
    task.block();
    let held = || Arc::strong_count(&task.transport.budget) > 1;
    assert!(held());
    task.drain();
    assert!(!held());
    task.block();
    assert!(held());
    let known = Arc::strong_count(&task.wake_counter);
    task.transport.release_task();
    assert!(!held());
    assert_eq!(Arc::strong_count(&task.wake_counter), known - 1);
    assert_eq!(task.transport.send(&"late".into()), SendStatus::Closed);
}
