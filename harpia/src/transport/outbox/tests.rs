//! Tests of the outbox without a socket: order, backlog and accounting.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::budget::charged;

use super::*;

const BACKLOG: usize = 4000;

fn budget() -> Arc<Budget> {
    Arc::new(Budget::new(usize::MAX))
}

/// Returns a frame whose payload is `payload` bytes of value `mark`.
fn frame(mark: u8, payload: usize) -> Bytes {
    frame::encode(&vec![mark; payload].into())
}

fn pong(mark: u8) -> Bytes {
    frame::encode_pong(&[mark; 3])
}

impl Outbox {
    /// Returns the content in the order in which it would be written.
    fn bytes(&self) -> Vec<u8> {
        let pieces = [&self.partial, &self.control].into_iter();
        pieces.chain(&self.data).flatten().copied().collect()
    }

    /// Removes and returns at most this many bytes, as a socket would.
    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut taken = self.bytes();
        taken.truncate(bytes);
        self.advance(taken.len());
        taken
    }
}

#[test]
fn the_partial_frame_goes_first_then_one_control_frame_then_data_in_order() {
    let batch = [frame(1, 100), frame(2, 100)].concat();
    let mut outbox = Outbox::new(budget(), batch.clone().into(), 50);
    outbox.push(frame(3, 10), BACKLOG).unwrap();
    outbox.set_control(pong(8));
    outbox.set_control(pong(9));
    let expected = [&batch[50..102], &pong(9), &batch[102..], &frame(3, 10)].concat();
    assert_eq!(outbox.bytes(), expected);
    assert_eq!(outbox.len(), expected.len());
}

#[test]
fn a_batch_written_up_to_a_frame_boundary_leaves_no_partial_frame() {
    let batch = [frame(1, 100), frame(2, 100)].concat();
    for written in [0, 102] {
        let mut outbox = Outbox::new(budget(), batch.clone().into(), written);
        outbox.set_control(pong(9));
        assert_eq!(outbox.bytes(), [&pong(9), &batch[written..]].concat());
    }
}

#[test]
fn a_begun_control_frame_is_finished_before_a_newer_one() {
    let mut outbox = Outbox::new(budget(), frame(1, 100), 0);
    outbox.set_control(pong(8));
    let mut written = outbox.take(2);
    outbox.set_control(pong(9));
    outbox.drop_queue();
    outbox.set_control(pong(7));
    written.extend(outbox.take(usize::MAX));
    assert_eq!(written, [pong(8), pong(7)].concat());
    assert!(outbox.is_empty());
}

#[test]
fn a_control_frame_that_is_not_begun_is_replaced_by_a_newer_one() {
    let mut outbox = Outbox::new(budget(), pong(8), 0);
    outbox.push(frame(1, 10), BACKLOG).unwrap();
    outbox.set_control(pong(9));
    assert_eq!(outbox.bytes(), [pong(9), frame(1, 10)].concat());
    let begun = Outbox::new(budget(), pong(8), 1);
    assert_eq!(begun.bytes(), pong(8)[1..]);
}

#[test]
fn dropping_the_queue_keeps_the_partial_frame() {
    let mut outbox = Outbox::new(budget(), frame(1, 100), 50);
    outbox.push(frame(2, 100), BACKLOG).unwrap();
    outbox.set_control(pong(9));
    outbox.drop_queue();
    assert_eq!(outbox.bytes(), frame(1, 100)[50..]);
    assert_eq!(outbox.len(), 52);
    assert_eq!(outbox.counted, 52);
}

#[test]
fn an_outbox_holds_at_most_the_backlog_and_one_batch() {
    let mut outbox = Outbox::new(budget(), frame(1, BACKLOG + 1000), 1001);
    assert!(outbox.len() < BACKLOG + 10);
    outbox.push(frame(2, 5), BACKLOG).unwrap_err();
    let mut outbox = Outbox::new(budget(), frame(1, BACKLOG), 1000);
    outbox.push(frame(2, 50_000), BACKLOG).unwrap();
    outbox.push(frame(3, 5), BACKLOG).unwrap_err();
}

#[test]
fn small_messages_count_at_least_512_bytes_each() {
    let mut outbox = Outbox::new(budget(), frame(1, 10), 1);
    let mut fits = || outbox.push(frame(2, 1), BACKLOG).is_ok();
    assert_eq!((0..100).filter(|_| fits()).count(), BACKLOG.div_ceil(512));
}

#[test]
fn after_a_dropped_message_all_messages_are_dropped_until_the_outbox_is_empty() {
    let mut outbox = Outbox::new(budget(), frame(1, BACKLOG + 1), 1);
    outbox.push(frame(2, 5), BACKLOG).unwrap_err();
    outbox.take(BACKLOG);
    outbox.push(frame(3, 5), BACKLOG).unwrap_err();
    outbox.push_unbounded(frame(4, 5));
    outbox.take(4);
    assert_eq!(outbox.bytes(), frame(4, 5));
}

#[test]
fn an_exhausted_budget_fills_every_outbox_until_one_is_dropped() {
    let budget = Arc::new(Budget::new(1000));
    let large = charged(frame(1, 2000), &budget);
    let one = Outbox::new(Arc::clone(&budget), large, 1);
    let mut other = Outbox::new(Arc::clone(&budget), frame(2, 10), 1);
    other.push(frame(2, 1), usize::MAX).unwrap_err();
    drop(one);
    assert!(!budget.is_spent());
    let mut third = Outbox::new(Arc::clone(&budget), frame(3, 10), 1);
    third.push(frame(3, 1), usize::MAX).unwrap();
}

#[test]
fn outboxes_that_share_a_batch_charge_its_bytes_once() {
    let budget = Arc::new(Budget::new(20_000));
    let batch = charged(frame(1, 15_000), &budget);
    let outboxes: Vec<_> = (0..40)
        .map(|_| Outbox::new(Arc::clone(&budget), batch.clone(), 1))
        .collect();
    drop(batch);
    assert!(!budget.is_spent());
    drop(outboxes);
    assert!(Charge::new(budget).try_add(20_000));
}

#[test]
fn dropping_the_queue_releases_the_batch_of_the_partial_frame() {
    let budget = Arc::new(Budget::new(1000));
    let batch = Bytes::from([frame(1, 10), frame(2, 1000)].concat());
    let mut outbox = Outbox::new(Arc::clone(&budget), charged(batch, &budget), 5);
    assert!(budget.is_spent());
    assert_eq!(outbox.skip_queue(), 1);
    assert!(budget.is_relieved());
    assert_eq!(outbox.bytes(), frame(1, 10)[5..]);
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<usize>),
    Control,
    Drop,
    Take(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec(0usize..300, 1..4).prop_map(Step::Push),
        2 => Just(Step::Control),
        1 => Just(Step::Drop),
        6 => (1usize..700).prop_map(Step::Take),
    ]
}

/// Returns for each written frame whether it is a control frame, and its mark.
///
/// Panics if a frame is torn.
fn marks(mut bytes: &[u8]) -> Vec<(bool, u8)> {
    let mut marks = Vec::new();
    while !bytes.is_empty() {
        let end = frame::boundary_from(bytes, 1);
        let (frame, rest) = bytes.split_at(end);
        let is_control = frame[0] == 0x8a;
        let head = if frame[1] == 126 { 4 } else { 2 };
        let mark = frame[head];
        assert!(
            frame[head..].iter().all(|&byte| byte == mark),
            "a frame is torn"
        );
        marks.push((is_control, mark));
        bytes = rest;
    }
    marks
}

proptest! {
    #[test]
    fn frames_stay_whole_and_counts_match_the_content_for_any_sequence_of_writes(
        written in 0usize..300,
        steps in vec(step(), 0..60),
    ) {
        let budget = budget();
        let mut mark = 0;
        let mut next = |payload| {
            mark += 1;
            frame(mark, payload + 1)
        };
        let first = [next(100), next(200)].concat();
        let mut out = first[..written].to_vec();
        let mut outbox = Outbox::new(Arc::clone(&budget), first.into(), written);
        let mut control = 0;
        for step in steps {
            match step {
                Step::Push(payloads) => {
                    let batch: Vec<Bytes> = payloads.into_iter().map(&mut next).collect();
                    outbox.push_unbounded(batch.concat().into());
                }
                Step::Control => {
                    control += 1;
                    outbox.set_control(pong(control));
                }
                Step::Drop => outbox.drop_queue(),
                Step::Take(bytes) => out.extend(outbox.take(bytes)),
            }
            prop_assert_eq!(outbox.len(), outbox.bytes().len());
            let counted = outbox.data.iter().map(cost).sum::<usize>() + outbox.partial.len();
            prop_assert_eq!(outbox.counted, counted);
            prop_assert_eq!(outbox.entries.bytes(), outbox.data.len() * ENTRY);
        }
        out.extend(outbox.take(usize::MAX));
        prop_assert_eq!(outbox.len(), 0);
        prop_assert_eq!(outbox.counted, 0);
        for is_control in [true, false] {
            let of_kind = marks(&out).into_iter().filter(|one| one.0 == is_control);
            let in_order: Vec<u8> = of_kind.map(|one| one.1).collect();
            prop_assert!(in_order.is_sorted_by(|one, next| one < next), "{:?}", in_order);
        }
    }
}
