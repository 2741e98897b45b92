//! Loom tests of the log and the flusher: every order in which their threads can run.
//!
//! In each order no record is lost, no task waits forever, and a close frame follows everything
//! that was published before it.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::task::Context;
use std::time::Duration;

use loom::thread;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::id::Slot;
use crate::limits::Limits;
use crate::sync::explore;
use crate::transport::Transport;
use crate::transport::loom_tests::{Parked, run_task};
use crate::transport::test_peer::{Frame, TestPeer, TestSockets};

use super::flusher::Flusher;
use super::*;

/// Returns a message that fills the log by itself. It is encoded once.
fn filling_message() -> Encoded {
    static MESSAGE: OnceLock<Encoded> = OnceLock::new();
    let new = || Encoded::new(&vec![0; 16 * 1024 * 1024].into(), None);
    MESSAGE.get_or_init(new).clone()
}

fn small_message() -> Encoded {
    Encoded::new(&"small".into(), None)
}

fn connect(wire: &TestSockets, hub: &Hub) -> (Arc<Transport>, TestPeer) {
    let (transport, test_peer) = wire.wide(hub.reserve(), Limits::default(), None);
    (Arc::new(transport), test_peer)
}

/// Takes records until the record `Stop`, stops the log, and returns all records.
fn take_all(log: &Log, timeout: Option<Duration>) -> Vec<Record> {
    let (mut all, mut records) = (Vec::new(), VecDeque::new());
    loop {
        log.take_records(&mut records, timeout, false);
        all.extend(records.drain(..));
        if all.iter().any(|record| matches!(record, Record::Stop)) {
            all.extend(log.stop());
            return all;
        }
    }
}

/// Returns the slots that the records carry, in order.
fn slots(records: &[Record]) -> Vec<Slot> {
    let slot = |record: &Record| match record {
        Record::Publish { from, .. } => *from,
        Record::Leave(slot) => Some(*slot),
        _ => None,
    };
    records.iter().filter_map(slot).collect()
}

#[test]
fn the_flusher_gets_every_record_and_keeps_each_writers_order() {
    // Without a timeout the flusher waits for any record. With a timeout it waits for a record that
    // wakes it: no time passes in loom, so the timeout never ends.
    for timeout in [None, Some(Duration::MAX)] {
        explore(move || {
            let log = Arc::new(Log::new());
            let writer = thread::spawn({
                let log = Arc::clone(&log);
                move || {
                    log.append(Record::Leave(1));
                    log.publish(Channel::Server, Some(2), small_message())
                }
            });
            let flusher = thread::spawn({
                let log = Arc::clone(&log);
                move || take_all(&log, timeout)
            });
            log.publish(Channel::Server, Some(3), small_message());
            log.append(Record::Leave(4));
            let sent = writer.join().unwrap();
            log.append(Record::Stop);
            let slots = slots(&flusher.join().unwrap());
            assert_eq!(sent, SendStatus::Sent);
            assert_eq!(slots.len(), 4, "{slots:?}");
            let position = |slot| slots.iter().position(|found| *found == slot);
            assert!(position(1) < position(2), "{slots:?}");
            assert!(position(3) < position(4), "{slots:?}");
        });
    }
}

#[test]
fn any_record_wakes_a_flusher_that_waits_for_a_connection() {
    explore(|| {
        let log = Arc::new(Log::new());
        let joiner = thread::spawn({
            let log = Arc::clone(&log);
            move || log.append(Record::Leave(1))
        });
        let mut records = VecDeque::new();
        log.take_records(&mut records, None, false);
        assert!(joiner.join().unwrap());
        assert_eq!(slots(records.make_contiguous()), [1]);
    });
}

#[test]
fn a_task_that_waits_for_room_goes_on_after_the_next_round_or_the_stop() {
    explore(|| {
        let log = Arc::new(Log::new());
        let broadcaster = thread::spawn({
            let log = Arc::clone(&log);
            move || {
                let (parked, waker) = Parked::waker();
                let mut context = Context::from_waker(&waker);
                // Does what a connection does: it keeps the message that it could not append, and
                // is not read until there is room.
                while log
                    .try_publish(Channel::Server, 1, filling_message())
                    .is_err()
                {
                    if log.poll_room(&mut context, 1).is_pending() {
                        parked.wait();
                    }
                }
                while !log.has_room() && log.poll_room(&mut context, 1).is_pending() {
                    parked.wait();
                }
            }
        });
        let flusher = thread::spawn({
            let log = Arc::clone(&log);
            move || take_all(&log, None)
        });
        let sent = log.publish(Channel::Server, Some(2), filling_message());
        log.append(Record::Stop);
        broadcaster.join().unwrap();
        let slots = slots(&flusher.join().unwrap());
        assert_eq!(slots.contains(&2), sent == SendStatus::Sent, "{slots:?}");
    });
}

/// Does what the flusher's thread does, without its clock.
fn run_flusher(hub: &Hub) -> Flusher<'_> {
    let mut flusher = Flusher::new(hub);
    loop {
        flusher.take_records();
        if flusher.flush() {
            flusher.stop();
            return flusher;
        }
    }
}

fn close_frame() -> CloseFrame {
    CloseFrame::bare(CloseCode::NORMAL)
}

#[test]
fn a_close_frame_follows_earlier_broadcasts_whether_it_goes_through_the_log_or_not() {
    let wire = Arc::new(TestSockets::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, test_peer) = connect(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        hub.activate(&transport, Vec::new());
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(run_flusher(&hub))
        });
        assert_eq!(hub.broadcast("before"), SendStatus::Sent);
        transport.request_close(Close::new(CloseCause::Handler, close_frame()));
        let frames = run_task(&wire, &transport, &test_peer, |frame| {
            close_through_log(&hub, &transport, &frame);
        });
        hub.leave(transport.id().slot());
        hub.stop();
        flusher.join().unwrap();
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert_eq!(frames[0], Frame::text("before"));
        assert_eq!(frames[1].close_code(), Some(1000));
    });
}

/// Sends the close frame after everything published, as a connection does after a successful
/// `open`.
fn close_through_log(hub: &Hub, transport: &Transport, frame: &CloseFrame) {
    hub.deactivate(transport);
    if !hub.send_close(transport.id().slot(), frame.clone()) {
        transport.send_close(frame);
    }
}

#[test]
fn a_message_published_while_open_runs_is_written_after_open_has_returned() {
    let wire = Arc::new(TestSockets::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, test_peer) = connect(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(run_flusher(&hub))
        });
        assert!(hub.subscribe(transport.id().slot(), "topic".into()));
        assert_eq!(hub.publish("topic", "owed"), SendStatus::Sent);
        hub.activate(&transport, Vec::new());
        transport.request_close(Close::new(CloseCause::Handler, close_frame()));
        let frames = run_task(&wire, &transport, &test_peer, |frame| {
            close_through_log(&hub, &transport, &frame);
        });
        hub.leave(transport.id().slot());
        hub.stop();
        flusher.join().unwrap();
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert_eq!(frames[0], Frame::text("owed"));
    });
}

#[test]
fn an_activation_wakes_the_flusher_if_messages_are_owed() {
    let wire = Arc::new(TestSockets::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, test_peer) = connect(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(run_flusher(&hub))
        });
        assert_eq!(hub.broadcast("owed"), SendStatus::Sent);
        hub.activate(&transport, Vec::new());
        // No time passes in loom, so a flusher that was not woken would wait forever.
        while test_peer.frames().is_empty() {
            thread::yield_now();
        }
        hub.stop();
        flusher.join().unwrap();
    });
}

#[test]
fn a_subscriber_closed_while_open_runs_gets_the_last_message_before_the_close_frame() {
    let wire = Arc::new(TestSockets::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, test_peer) = connect(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        assert!(hub.subscribe(transport.id().slot(), "topic".into()));
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(run_flusher(&hub))
        });
        hub.publish("topic", "last");
        hub.disconnect_topic("topic", 4000, "over");
        // `open` returns `Ok` here, before or after the flusher has applied any of this.
        if !transport.is_closing() {
            hub.activate(&transport, Vec::new());
        }
        let frames = run_task(&wire, &transport, &test_peer, |frame| {
            close_through_log(&hub, &transport, &frame);
        });
        hub.leave(transport.id().slot());
        hub.stop();
        flusher.join().unwrap();
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert_eq!(frames[0], Frame::text("last"));
        assert_eq!(frames[1].close_code(), Some(4000));
    });
}

#[test]
fn a_connection_closed_during_its_activation_is_not_active_and_gets_nothing() {
    let wire = Arc::new(TestSockets::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, test_peer) = connect(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        let closer = thread::spawn({
            let (hub, transport) = (hub.clone(), Arc::clone(&transport));
            move || hub.close(&transport, Close::new(CloseCause::Handler, close_frame()))
        });
        let disconnecter = thread::spawn({
            let (hub, id) = (hub.clone(), transport.id());
            move || hub.disconnect(id, 1000, "")
        });
        if !transport.is_closing() {
            hub.activate(&transport, Vec::new());
        }
        closer.join().unwrap();
        disconnecter.join().unwrap();
        hub.broadcast("after");
        hub.stop();
        drop(run_flusher(&hub));
        assert_eq!(test_peer.frames(), []);
        assert_eq!(hub.connections(), 0);
    });
}
