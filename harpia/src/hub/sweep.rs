//! The sweep: pings, idle timeouts and deadlines, without a timer for each connection.
//!
//! Each tick visits a part of the table, so that ten thousand pings are spread and not a burst.

use crate::write_end::{Ending, ticks};

use super::table::{Member, Table};

/// Every so many ticks each connection is visited once.
const PARTS: u32 = 4;

#[derive(Default)]
pub(super) struct Sweep {
    last: u32,
    part: u32,
}

impl Sweep {
    pub(super) fn run(&mut self, table: &mut Table, now: u32) {
        if now == self.last {
            return;
        }
        self.last = now;
        self.part = (self.part + 1) % PARTS;
        for slot in (self.part..table.next_slot()).step_by(PARTS as usize) {
            if let Some(member) = table.member(slot)
                && let Some(ending) = visit(member, now)
            {
                table.end(slot, ending);
            }
        }
    }
}

/// Looks after one connection, and says how it has to end, if it has to.
fn visit(member: &mut Member, now: u32) -> Option<Ending> {
    let end = &member.end;
    if end.silence.is_overdue(now) {
        end.poke();
    }
    if let Some(closing) = end.due(now) {
        return Some(Ending::Close(closing));
    }
    let heard = end.silence.last_heard()?;
    let limits = end.limits();
    let silent = now.saturating_sub(heard);
    if limits
        .idle_timeout
        .is_some_and(|limit| silent >= ticks(limit))
    {
        return Some(Ending::Idle);
    }
    let quiet_since = heard.max(member.pinged);
    let quiet = now.saturating_sub(quiet_since);
    if limits.ping.is_some_and(|interval| quiet >= ticks(interval)) {
        member.pinged = now;
        end.ping();
    }
    None
}
