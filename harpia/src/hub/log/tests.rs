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
fn a_full_log_drops_what_is_published_by_hand_and_has_broadcasters_wait() {
    let log = Log::new();
    fill(&log);
    let dropped = log.publish(Channel::Server, None, encoded(""));
    assert_eq!(dropped, SendStatus::Dropped);
    assert!(!has_room(&log));
    assert!(log.lock().bytes < CAPACITY + 2 * 1024 * 1024);
    let mut records = Vec::new();
    log.take(&mut records, None, false);
    assert_eq!(records.len(), 16);
    assert!(has_room(&log));
}

#[test]
fn topics_and_reasons_count_too() {
    let topic = ByteString::from("t".repeat(64 * 1024));
    let log = Log::new();
    for _ in 0..CAPACITY / topic.len() {
        assert!(log.has_room());
        log.append(Record::Subscribe(0, topic.clone()));
    }
    assert!(!log.has_room());
    let dropped = log.publish(Channel::Topic(topic), None, encoded(""));
    assert_eq!(dropped, SendStatus::Dropped);
}

#[test]
fn joins_and_leaves_fit_into_a_full_log() {
    let log = Log::new();
    fill(&log);
    log.append(Record::Leave(7));
    let mut records = Vec::new();
    log.take(&mut records, None, false);
    assert!(matches!(records.last(), Some(Record::Leave(7))));
}

#[test]
fn an_activation_wakes_the_flusher_if_it_publishes_or_somebody_is_owed_messages() {
    let early = vec![("a".into(), encoded("a"))];
    assert!(Record::Activate(7, early).is_urgent(false));
    assert!(!Record::Activate(7, Vec::new()).is_urgent(false));
    assert!(Record::Activate(7, Vec::new()).is_urgent(true));
}

#[test]
fn a_turn_wakes_those_who_wait_for_room() {
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
    assert_eq!(log.lock().waiting.len(), 1);
    log.take(&mut Vec::new(), None, false);
    assert!(flag.0.load(Ordering::Relaxed));
    assert!(log.poll_room(&mut context, 3).is_ready());
}

#[test]
fn a_place_that_was_left_gets_another_id() {
    let log = Log::new();
    let first = log.reserve();
    log.release(first);
    let second = log.reserve();
    assert_eq!(second.slot(), first.slot());
    assert_ne!(second, first);
}

#[test]
fn a_stopped_log_takes_nothing_and_lets_everyone_go_on() {
    let log = Log::new();
    fill(&log);
    log.stop();
    let closed = log.publish(Channel::Server, None, encoded(""));
    assert_eq!(closed, SendStatus::Closed);
    assert!(has_room(&log));
    assert!(log.lock().records.is_empty());
}

#[test]
fn a_doze_in_vain_is_followed_by_a_turn_as_any_other() {
    let log = Log::new();
    assert!(!log.is_delivered());
    log.append(Record::Leave(7));
    let mut records = Vec::new();
    log.take(&mut records, Some(Duration::from_millis(1)), false);
    assert!(matches!(records[..], [Record::Leave(7)]));
    assert!(!log.is_delivered(), "it may be delivering");
}

#[test]
fn what_came_after_the_last_turn_is_given_back_at_the_end() {
    let log = Log::new();
    log.append(Record::Leave(7));
    assert!(matches!(log.stop()[..], [Record::Leave(7)]));
    assert!(!log.append(Record::Leave(8)));
}
