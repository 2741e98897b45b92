//! The sweep: pings, idle timeouts and deadlines, without a timer for each connection.
//!
//! Each tick visits a part of the table, so that ten thousand pings are spread over several ticks.

use crate::clock::ticks;
use crate::close::{Close, CloseCause};
use crate::transport::{Now, Timer, Transport};

use super::table::{Member, Table};

/// How many ticks one pass over the table takes. Each tick visits one part of it.
const PARTS: u32 = 4;

/// Remembers which part of the table is visited next.
#[derive(Default)]
pub(super) struct Sweep {
    /// The tick of the last visit.
    last_tick: u32,
    /// The part that was visited last.
    part: u32,
}

impl Sweep {
    /// Visits the next part of the table, unless this tick already had its visit.
    ///
    /// `unix_seconds` returns the time of day. It is called only if there is a visit.
    pub(super) fn run(&mut self, table: &mut Table, ticks: u32, unix_seconds: fn() -> u32) {
        if ticks == self.last_tick {
            return;
        }
        self.last_tick = ticks;
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

/// Pings one connection or wakes its task, if either is due. Returns a close if one is due.
fn visit(member: &mut Member, now: Now) -> Option<Close> {
    let transport = &member.transport;
    if transport.is_closing() {
        transport.look_at_progress(now.ticks);
    }
    if transport.liveness.is_overdue(now.ticks) {
        transport.wake_task();
    }
    // While `open` waits, nothing is read, so the task does not notice a reset.
    let may_wait = transport.liveness.is_paused() && !transport.is_closing();
    if may_wait && transport.is_opening() && transport.has_hung_up() {
        return Some(Close::of(CloseCause::Lost));
    }
    if let Some((timer, frame)) = transport.timers.due(now) {
        let cause = match timer {
            Timer::Deadline => CloseCause::Deadline,
            Timer::Expiry => CloseCause::Expired,
        };
        return Some(Close::new(cause, frame));
    }
    let now = now.ticks;
    let limits = transport.limits();
    // Noted on routes without `write_timeout`, too, for the order in which backlogs are dropped.
    let is_blocked = transport.is_blocked();
    let blocked_since = transport.progress.blocked_since(is_blocked, now);
    if is_blocked && transport.is_memory_scarce() {
        // So that it is known who has read something lately, in case backlogs have to be dropped.
        transport.look_at_progress(now);
    }
    if let Some(limit) = limits.write_timeout
        && let Some(since) = blocked_since
        && !transport.is_closing()
        && is_stalled(transport, since, ticks(limit), now)
    {
        transport.close_stalled();
        return None;
    }
    let last_heard = transport.liveness.last_heard()?;
    if let Some(limit) = limits.idle_timeout
        && is_idle(transport, last_heard, ticks(limit), now)
    {
        return Some(Close::of(CloseCause::Idle));
    }
    let quiet_since = last_heard.max(member.last_ping);
    let quiet = now.saturating_sub(quiet_since);
    if limits.ping.is_some_and(|interval| quiet >= ticks(interval)) {
        member.last_ping = now;
        transport.ping();
    }
    None
}

/// Returns whether a peer has read nothing of what waits for it for `limit` ticks.
///
/// Like [`is_idle`], makes a system call only once half of the time has passed.
fn is_stalled(transport: &Transport, since: u32, limit: u32, now: u32) -> bool {
    if now.saturating_sub(since) < limit / 2 {
        return false;
    }
    transport.look_at_progress(now);
    let progress = since.max(transport.progress.at());
    now.saturating_sub(progress) >= limit
}

/// Returns whether, for `limit` ticks, a peer has neither sent a byte nor read what it was sent.
///
/// To find out whether the peer reads costs a system call. This function makes the call only once
/// the peer has been silent for half of the time.
fn is_idle(transport: &Transport, last_heard: u32, limit: u32, now: u32) -> bool {
    if now.saturating_sub(last_heard) < limit / 2 {
        return false;
    }
    if !transport.is_closing() {
        transport.look_at_progress(now);
    }
    let alive = last_heard.max(transport.progress.at());
    now.saturating_sub(alive) >= limit
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use crate::close::{CloseCode, CloseFrame};
    use crate::hub::record::Record;
    use crate::id::{ConnectionId, Slot};
    use crate::limits::Limits;
    use crate::transport::test_peer::{Frame, TestPeer, TestSockets};

    use super::*;

    /// A table of connections that last sent something at tick 1, with its sweep and the time.
    struct World {
        _wire: TestSockets,
        table: Table,
        sweep: Sweep,
        /// The current tick.
        now: u32,
        connections: Vec<(Arc<Transport>, TestPeer)>,
    }

    impl World {
        fn new(count: Slot, limits: &Limits) -> Self {
            let wire = TestSockets::new();
            let mut table = Table::default();
            table.begin_round();
            let connections = (0..count).map(|slot| {
                let id = ConnectionId::new(slot, 0);
                let (transport, peer) = wire.wide(id, limits.clone(), None);
                let transport = Arc::new(transport);
                table.apply(Record::Enter {
                    transport: Arc::clone(&transport),
                    route: 0,
                    authenticates: false,
                });
                (transport, peer)
            });
            Self {
                connections: connections.collect(),
                _wire: wire,
                table,
                sweep: Sweep::default(),
                now: 1,
            }
        }

        /// Advances the time by one tick. Returns how many connections were pinged.
        fn tick(&mut self) -> usize {
            self.now += 1;
            self.sweep.run(&mut self.table, self.now, || TIME_OF_DAY);
            let frames = self.connections.iter().flat_map(|(_, peer)| peer.frames());
            frames
                .inspect(|frame| assert_eq!(*frame, Frame::ping()))
                .count()
        }

        fn transport(&self) -> &Transport {
            &self.connections[0].0
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
            pinged.is_sorted_by(|ping, next| ping + 30 <= *next),
            "{pinged:?}"
        );
    }

    #[test]
    fn a_peer_that_sends_is_neither_pinged_nor_closed() {
        let mut world = World::new(1, &limits(Some(3), Some(5)));
        while world.now < 200 {
            world.transport().liveness.heard(world.now);
            assert_eq!((0..20).map(|_| world.tick()).sum::<usize>(), 0);
        }
        assert!(!world.transport().is_closing());
    }

    #[test]
    fn a_silent_peer_is_closed_after_the_idle_timeout_even_if_it_was_pinged() {
        let mut world = World::new(1, &limits(Some(3), Some(5)));
        let closed_at = (0..100).find(|_| {
            world.tick();
            world.transport().is_closing()
        });
        assert!((49..49 + PARTS).contains(&closed_at.unwrap()));
        assert_eq!(
            world.transport().close_frame(),
            Some(Close::of(CloseCause::Idle).frame)
        );
    }

    #[test]
    fn a_peer_is_neither_pinged_nor_closed_while_its_handler_waits() {
        let mut world = World::new(1, &limits(Some(3), Some(5)));
        world.transport().liveness.pause();
        assert_eq!((0..200).map(|_| world.tick()).sum::<usize>(), 0);
        assert!(!world.transport().is_closing());
    }

    #[test]
    fn a_task_is_woken_after_its_deadline_and_not_before() {
        struct Woken(AtomicUsize);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut world = World::new(1, &limits(None, None));
        let woken = Arc::new(Woken(AtomicUsize::new(0)));
        world.transport().attach(&Waker::from(Arc::clone(&woken)));
        world
            .transport()
            .liveness
            .set_deadline(1, Duration::from_secs(2));
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
        let expired = CloseFrame::new(CloseCode::from(4401), "Token Expired");
        let set =
            |transport: &Transport, at| transport.timers.set(Timer::Expiry, at, expired.clone());
        set(&world.connections[0].0, TIME_OF_DAY);
        set(&world.connections[1].0, TIME_OF_DAY + 1);
        for _ in 0..PARTS {
            world.tick();
        }
        assert_eq!(world.connections[0].0.close_frame(), Some(expired));
        assert!(!world.connections[1].0.is_closing());
    }

    #[test]
    fn each_tick_visits_one_part_of_the_table_once() {
        let mut world = World::new(10, &limits(Some(1), None));
        world.now = 50;
        let mut pinged = vec![world.tick()];
        world.now -= 1;
        assert_eq!(world.tick(), 0, "this tick already had its sweep");
        pinged.extend((1..PARTS).map(|_| world.tick()));
        assert_eq!(pinged.iter().sum::<usize>(), 10);
        assert!(
            pinged.iter().all(|part| (2..=3).contains(part)),
            "{pinged:?}"
        );
    }
}
