//! The log and the flusher's rounds in every order: no record is lost, nobody waits for ever, and
//! a close frame is behind what came before it.

use std::sync::OnceLock;

use loom::thread;

use crate::limits::Limits;
use crate::sync::explore;
use crate::transport::loom_tests::{Parked, run_task};
use crate::transport::test_peer::{Frame, TestPeer, Wire};

use super::flusher::Flusher;
use super::*;

/// A message that fills the log by itself, made once.
fn filling() -> Encoded {
    static FILLING: OnceLock<Encoded> = OnceLock::new();
    let new = || Encoded::new(&vec![0; 16 * 1024 * 1024].into(), None);
    FILLING.get_or_init(new).clone()
}

fn small() -> Encoded {
    Encoded::new(&"small".into(), None)
}

fn end(wire: &Wire, hub: &Hub) -> (Arc<Transport>, TestPeer) {
    let (transport, far) = wire.wide(hub.reserve(), Limits::default(), None);
    (Arc::new(transport), far)
}

/// Takes rounds until it is stopped; returns the records.
fn take_all(log: &Log, patience: Option<std::time::Duration>) -> Vec<Record> {
    let (mut all, mut records) = (Vec::new(), Vec::new());
    loop {
        log.take(&mut records, patience, false);
        all.append(&mut records);
        if all.iter().any(|one| matches!(one, Record::Stop)) {
            all.extend(log.stop());
            return all;
        }
    }
}

fn slots(records: &[Record]) -> Vec<Slot> {
    let slot = |record: &Record| match record {
        Record::Publish { from, .. } => *from,
        Record::Leave(slot) => Some(*slot),
        _ => None,
    };
    records.iter().filter_map(slot).collect()
}

#[test]
fn the_flusher_gets_every_record_awake_or_not_and_each_writer_s_in_order() {
    // Without patience it sleeps until there is anything; with it, loom has it doze until
    // something is urgent, as no time passes.
    for patience in [None, Some(std::time::Duration::MAX)] {
        explore(move || {
            let log = Arc::new(Log::new());
            let other = thread::spawn({
                let log = Arc::clone(&log);
                move || {
                    log.append(Record::Leave(1));
                    log.publish(Channel::Server, Some(2), small())
                }
            });
            let flusher = thread::spawn({
                let log = Arc::clone(&log);
                move || take_all(&log, patience)
            });
            log.publish(Channel::Server, Some(3), small());
            log.append(Record::Leave(4));
            let sent = other.join().unwrap();
            log.append(Record::Stop);
            let slots = slots(&flusher.join().unwrap());
            assert_eq!(sent, SendStatus::Sent);
            assert_eq!(slots.len(), 4, "{slots:?}");
            let place = |slot| slots.iter().position(|one| *one == slot);
            assert!(place(1) < place(2) && place(3) < place(4), "{slots:?}");
        });
    }
}

#[test]
fn any_record_wakes_who_sleeps_for_want_of_connections() {
    explore(|| {
        let log = Arc::new(Log::new());
        let joiner = thread::spawn({
            let log = Arc::clone(&log);
            move || log.append(Record::Leave(1))
        });
        let mut records = Vec::new();
        log.take(&mut records, None, false);
        assert!(joiner.join().unwrap());
        assert_eq!(slots(&records), [1]);
    });
}

#[test]
fn who_waits_for_room_gets_it_from_the_next_turn_or_the_end() {
    explore(|| {
        let log = Arc::new(Log::new());
        let broadcaster = thread::spawn({
            let log = Arc::clone(&log);
            move || {
                let (parked, waker) = Parked::waker();
                let mut context = Context::from_waker(&waker);
                // As a connection: it is not read without room, and keeps what it could not append.
                while log.try_publish(Channel::Server, 1, filling()).is_err() {
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
        let sent = log.publish(Channel::Server, Some(2), filling());
        log.append(Record::Stop);
        broadcaster.join().unwrap();
        let slots = slots(&flusher.join().unwrap());
        assert_eq!(slots.contains(&2), sent == SendStatus::Sent, "{slots:?}");
    });
}

/// What the flusher's thread does, without its clock.
fn flush(hub: &Hub) -> Flusher<'_> {
    let mut flusher = Flusher::new(hub);
    let mut records = Vec::new();
    loop {
        hub.shared
            .log
            .take(&mut records, flusher.patience(), flusher.owing());
        if flusher.round(&mut records) {
            flusher.stop();
            return flusher;
        }
    }
}

fn frame() -> CloseFrame {
    CloseFrame::bare(CloseCode::NORMAL)
}

#[test]
fn a_close_frame_is_behind_what_was_broadcast_before_it_through_the_log_or_not() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, far) = end(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        hub.activate(&transport, Vec::new());
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(flush(&hub))
        });
        assert_eq!(hub.broadcast("before"), SendStatus::Sent);
        transport.request_close(Close::new(CloseCause::Handler, frame()));
        // As a connection leaves the hub.
        let frames = run_task(&wire, &transport, &far, |frame| {
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

/// Has the task of `end` close after all that was published, as a connection does whose `open` has
/// returned `Ok`.
fn close_through_log(hub: &Hub, transport: &Transport, frame: &CloseFrame) {
    hub.deactivate(transport);
    if !hub.send_close(transport.id().slot(), frame.clone()) {
        transport.send_close(frame);
    }
}

#[test]
fn a_message_published_while_open_runs_is_written_once_open_has_returned() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, far) = end(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(flush(&hub))
        });
        assert!(hub.subscribe(transport.id().slot(), "topic".into()));
        assert_eq!(hub.publish("topic", "owed"), SendStatus::Sent);
        hub.activate(&transport, Vec::new());
        transport.request_close(Close::new(CloseCause::Handler, frame()));
        let frames = run_task(&wire, &transport, &far, |frame| {
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
    let wire = Arc::new(Wire::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, far) = end(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(flush(&hub))
        });
        assert_eq!(hub.broadcast("owed"), SendStatus::Sent);
        hub.activate(&transport, Vec::new());
        // Loom lets no time pass: a flusher that was not woken would sleep for ever.
        while far.frames().is_empty() {
            thread::yield_now();
        }
        hub.stop();
        flusher.join().unwrap();
    });
}

#[test]
fn a_topic_that_is_closed_while_open_runs_gets_its_last_message_and_then_the_close_frame() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, far) = end(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        assert!(hub.subscribe(transport.id().slot(), "topic".into()));
        let flusher = thread::spawn({
            let hub = hub.clone();
            move || drop(flush(&hub))
        });
        hub.publish("topic", "last");
        hub.disconnect_topic("topic", 4000, "over");
        // `open` returns `Ok` here, before or after the flusher has seen any of this.
        if !transport.is_closing() {
            hub.activate(&transport, Vec::new());
        }
        let frames = run_task(&wire, &transport, &far, |frame| {
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
fn who_is_closed_while_it_is_activated_is_counted_out_and_gets_nothing_more() {
    let wire = Arc::new(Wire::new());
    explore(move || {
        let hub = Hub::new();
        let (transport, far) = end(&wire, &hub);
        hub.enter(Arc::clone(&transport), 0, false);
        let peer = thread::spawn({
            let (hub, transport) = (hub.clone(), Arc::clone(&transport));
            move || hub.close(&transport, Close::new(CloseCause::Handler, frame()))
        });
        let handle = thread::spawn({
            let (hub, id) = (hub.clone(), transport.id());
            move || hub.disconnect(id, 1000, "")
        });
        if !transport.is_closing() {
            hub.activate(&transport, Vec::new());
        }
        peer.join().unwrap();
        handle.join().unwrap();
        hub.broadcast("after");
        hub.stop();
        drop(flush(&hub));
        assert_eq!(far.frames(), []);
        assert_eq!(hub.connections(), 0);
    });
}
