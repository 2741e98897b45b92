//! The sweep: pings, idle timeouts and deadlines, without a timer for each connection.
//!
//! Each tick visits a part of the table, so that ten thousand pings are spread and not a burst.

use crate::clock::ticks;
use crate::close::{Close, CloseCause};
use crate::transport::{Now, Timer};

use super::table::{Member, Table};

/// Every so many ticks each connection is visited once.
const PARTS: u32 = 4;

#[derive(Default)]
pub(super) struct Sweep {
    last: u32,
    part: u32,
}

impl Sweep {
    /// `unix_seconds` is asked for the time of day, which is not looked at in vain.
    pub(super) fn run(&mut self, table: &mut Table, ticks: u32, unix_seconds: fn() -> u32) {
        if ticks == self.last {
            return;
        }
        self.last = ticks;
        let now = Now {
            ticks,
            unix_seconds: unix_seconds(),
        };
        self.part = (self.part + 1) % PARTS;
        for slot in (self.part..table.next_slot()).step_by(PARTS as usize) {
            if let Some(member) = table.member(slot)
                && let Some(close) = visit(member, now)
            {
                table.request_close(slot, close);
            }
        }
    }
}

/// Looks after one connection, and says how it has to end, if it has to.
fn visit(member: &mut Member, now: Now) -> Option<Close> {
    let transport = &member.transport;
    if transport.liveness.is_overdue(now.ticks) {
        transport.wake_task();
    }
    if let Some((timer, frame)) = transport.timers.due(now) {
        let cause = match timer {
            Timer::Deadline => CloseCause::Deadline,
            Timer::Expiry => CloseCause::Expired,
        };
        return Some(Close::new(cause, frame));
    }
    let now = now.ticks;
    let heard = transport.liveness.last_heard()?;
    let limits = transport.limits();
    let silent = now.saturating_sub(heard);
    if limits
        .idle_timeout
        .is_some_and(|limit| silent >= ticks(limit))
    {
        return Some(Close::of(CloseCause::Idle));
    }
    let quiet_since = heard.max(member.pinged);
    let quiet = now.saturating_sub(quiet_since);
    if limits.ping.is_some_and(|interval| quiet >= ticks(interval)) {
        member.pinged = now;
        transport.ping();
    }
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use crate::close::{CloseCode, CloseFrame};
    use crate::hub::log::Record;
    use crate::id::{ConnectionId, Slot};
    use crate::limits::Limits;
    use crate::transport::test_peer::{Frame, TestPeer, Wire};
    use crate::transport::{Timer, Transport};

    use super::*;

    /// Connections that were heard at tick 1, and the tick of their sweep.
    struct World {
        _wire: Wire,
        table: Table,
        sweep: Sweep,
        now: u32,
        ends: Vec<(Arc<Transport>, TestPeer)>,
    }

    impl World {
        fn new(count: Slot, limits: &Limits) -> Self {
            let wire = Wire::new();
            let mut table = Table::default();
            table.begin_round();
            let ends = (0..count).map(|slot| {
                let id = ConnectionId::new(slot, 0);
                let (transport, far) = wire.wide(id, limits.clone(), None);
                let transport = Arc::new(transport);
                table.apply(Record::Enter {
                    transport: Arc::clone(&transport),
                    route: 0,
                    authenticates: false,
                });
                (transport, far)
            });
            Self {
                ends: ends.collect(),
                _wire: wire,
                table,
                sweep: Sweep::default(),
                now: 1,
            }
        }

        /// Goes on by one tick, and returns how many were pinged.
        fn tick(&mut self) -> usize {
            self.now += 1;
            self.sweep.run(&mut self.table, self.now, || TIME_OF_DAY);
            let frames = self.ends.iter().flat_map(|(_, far)| far.frames());
            frames
                .inspect(|one| assert_eq!(*one, Frame::ping()))
                .count()
        }

        fn end(&self) -> &Transport {
            &self.ends[0].0
        }
    }

    const TIME_OF_DAY: u32 = 1_000_000_000;

    fn limits(ping: Option<u64>, idle_timeout: Option<u64>) -> Limits {
        Limits {
            ping: ping.map(Duration::from_secs),
            idle_timeout: idle_timeout.map(Duration::from_secs),
            ..Limits::default()
        }
    }

    #[test]
    fn a_silent_peer_is_pinged_once_in_each_interval() {
        let mut world = World::new(1, &limits(Some(3), None));
        let mut pinged = Vec::new();
        while world.now < 100 {
            if world.tick() > 0 {
                pinged.push(world.now);
            }
        }
        assert_eq!(pinged.len(), 3, "{pinged:?}");
        assert!((31..31 + PARTS).contains(&pinged[0]), "{pinged:?}");
        assert!(
            pinged.is_sorted_by(|one, next| one + 30 <= *next),
            "{pinged:?}"
        );
    }

    #[test]
    fn a_peer_that_is_heard_is_neither_pinged_nor_ended() {
        let mut world = World::new(1, &limits(Some(3), Some(5)));
        while world.now < 200 {
            world.end().liveness.heard(world.now);
            assert_eq!((0..20).map(|_| world.tick()).sum::<usize>(), 0);
        }
        assert!(!world.end().is_closing());
    }

    #[test]
    fn a_peer_that_is_silent_for_too_long_is_idle_whatever_it_was_sent() {
        let mut world = World::new(1, &limits(Some(3), Some(5)));
        let idle_since = (0..100).find(|_| {
            world.tick();
            world.end().is_closing()
        });
        assert!((49..49 + PARTS).contains(&idle_since.unwrap()));
        assert_eq!(
            world.end().close_frame(),
            Some(Close::of(CloseCause::Idle).frame)
        );
    }

    #[test]
    fn while_a_handler_waits_its_peer_is_neither_pinged_nor_ended() {
        let mut world = World::new(1, &limits(Some(3), Some(5)));
        world.end().liveness.pause();
        assert_eq!((0..200).map(|_| world.tick()).sum::<usize>(), 0);
        assert!(!world.end().is_closing());
    }

    #[test]
    fn a_task_is_woken_when_its_deadline_is_over_and_not_before() {
        struct Woken(AtomicUsize);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut world = World::new(1, &limits(None, None));
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        world.end().attach(&Waker::from(Arc::clone(&woken)));
        world.end().liveness.set_deadline(1, Duration::from_secs(2));
        while world.now < 20 {
            world.tick();
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        assert_eq!((0..PARTS).map(|_| world.tick()).sum::<usize>(), 0);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_token_that_runs_out_by_the_time_of_day_ends_its_connection() {
        let mut world = World::new(2, &limits(None, None));
        let expired = CloseFrame::new(CloseCode::from(4401), "Token expired");
        let set =
            |transport: &Transport, at| transport.timers.set(Timer::Expiry, at, expired.clone());
        set(&world.ends[0].0, TIME_OF_DAY);
        set(&world.ends[1].0, TIME_OF_DAY + 1);
        for _ in 0..PARTS {
            world.tick();
        }
        assert_eq!(world.ends[0].0.close_frame(), Some(expired));
        assert!(!world.ends[1].0.is_closing());
    }

    #[test]
    fn each_tick_visits_its_part_of_the_table_once() {
        let mut world = World::new(10, &limits(Some(1), None));
        world.now = 50;
        let mut pinged = vec![world.tick()];
        world.now -= 1;
        assert_eq!(world.tick(), 0, "the tick was swept already");
        pinged.extend((1..PARTS).map(|_| world.tick()));
        assert_eq!(pinged.iter().sum::<usize>(), 10);
        assert!(
            pinged.iter().all(|part| (2..=3).contains(part)),
            "{pinged:?}"
        );
    }
}
