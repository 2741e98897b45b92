//! Tests of the log alone, without a flusher.

use crate::message::Message;

use super::*;

fn encoded(message: impl Into<Message>) -> Encoded {
    Encoded::new(&message.into(), None)
}

fn fill(log: &Log) {
    let frame = encoded(vec![0; 1024 * 1024]);
    while log.publish(Channel::Server, None, frame.clone()) == SendStatus::Sent {}
}

fn has_room(log: &Log) -> bool {
    let published = log.try_publish(Channel::Server, 0, encoded("x"));
    published.is_ok()
}

#[test]
fn a_full_log_drops_published_messages_and_makes_broadcasting_connections_wait() {
    let log = Log::new();
    fill(&log);
    let dropped = log.publish(Channel::Server, None, encoded(""));
    assert_eq!(dropped, SendStatus::Dropped);
    assert!(!has_room(&log));
    assert!(log.lock().bytes < LOG_CAPACITY + 2 * 1024 * 1024);
    let mut records = VecDeque::new();
    log.take_records(&mut records, None, false);
    assert_eq!(records.len(), 16);
    assert!(has_room(&log));
}

#[test]
fn topic_names_count_against_the_capacity() {
    let topic = ByteString::from("t".repeat(64 * 1024));
    let log = Log::new();
    for _ in 0..LOG_CAPACITY / topic.len() {
        assert!(log.has_room());
        log.append(Record::Subscribe(0, topic.clone()));
    }
    assert!(!log.has_room());
    let dropped = log.publish(Channel::Topic(topic), None, encoded(""));
    assert_eq!(dropped, SendStatus::Dropped);
}

#[test]
fn a_leave_fits_into_a_full_log() {
    let log = Log::new();
    fill(&log);
    log.append(Record::Leave(7));
    let mut records = VecDeque::new();
    log.take_records(&mut records, None, false);
    assert!(matches!(records.back(), Some(Record::Leave(7))));
}

#[test]
fn taking_the_records_wakes_tasks_that_wait_for_room() {
    struct Flag(AtomicBool);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let log = Log::new();
    fill(&log);
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    let mut context = Context::from_waker(&waker);
    assert!(!log.has_room());
    assert!(log.poll_room(&mut context, 3).is_pending());
    assert!(log.poll_room(&mut context, 3).is_pending());
    assert_eq!(log.lock().room_wakers.len(), 1);
    log.take_records(&mut VecDeque::new(), None, false);
    assert!(flag.0.load(Ordering::Relaxed));
    assert!(log.poll_room(&mut context, 3).is_ready());
}

#[test]
fn a_reused_slot_gets_a_different_id() {
    let log = Log::new();
    let first = log.reserve();
    log.release(first);
    let second = log.reserve();
    assert_eq!(second.slot(), first.slot());
    assert_ne!(second, first);
}

#[test]
fn a_stopped_log_accepts_no_records_and_makes_no_connection_wait() {
    let log = Log::new();
    fill(&log);
    log.stop();
    let closed = log.publish(Channel::Server, None, encoded(""));
    assert_eq!(closed, SendStatus::Closed);
    assert!(has_room(&log));
    assert!(log.lock().records.is_empty());
}

#[test]
fn records_that_do_not_wake_the_flusher_are_taken_at_the_timeout() {
    let log = Log::new();
    assert!(!log.is_delivered());
    log.append(Record::Leave(7));
    let mut records = VecDeque::new();
    log.take_records(&mut records, Some(Duration::from_millis(1)), false);
    assert!(matches!(records.make_contiguous(), [Record::Leave(7)]));
    assert!(!log.is_delivered(), "the flusher may be delivering");
}

#[test]
fn stopping_returns_the_records_after_the_last_round() {
    let log = Log::new();
    log.append(Record::Leave(7));
    assert!(matches!(log.stop().make_contiguous(), [Record::Leave(7)]));
    assert!(!log.append(Record::Leave(8)));
}
