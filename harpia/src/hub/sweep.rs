//! The sweep: pings, idle timeouts and deadlines, without a timer for each connection.
//!
//! Each tick visits a part of the table, so that ten thousand pings are spread and not a burst.

use crate::write_end::{Ending, ticks};

use super::table::{Member, Table};

/// Every so many ticks each connection is visited once.
const PARTS: usize = 4;

#[derive(Default)]
pub(super) struct Sweep {
    last: u32,
    part: usize,
}

impl Sweep {
    pub(super) fn run(&mut self, table: &mut Table, now: u32) {
        if now == self.last {
            return;
        }
        self.last = now;
        self.part = (self.part + 1) % PARTS;
        for slot in (self.part..table.slots()).step_by(PARTS) {
            if let Some(member) = table.member_mut(slot) {
                visit(member, now);
            }
        }
    }
}

fn visit(member: &mut Member, now: u32) {
    let end = &member.end;
    if end.silence.is_overdue(now) {
        end.poke();
    }
    let Some(heard) = end.silence.last_heard() else {
        return;
    };
    let limits = end.limits();
    let silent = now.saturating_sub(heard);
    if limits
        .idle_timeout
        .is_some_and(|limit| silent >= ticks(limit))
    {
        end.ask(Ending::Idle);
        return;
    }
    let quiet_since = heard.max(member.pinged);
    let quiet = now.saturating_sub(quiet_since);
    if limits.ping.is_some_and(|interval| quiet >= ticks(interval)) {
        member.pinged = now;
        end.ping();
    }
}
