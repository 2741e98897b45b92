//! Makes room when the backlogs of all peers together exceed their budget.
//!
//! The peers that have been stalled for longest lose what waits for them, until a tenth of the
//! budget is free. The size of a backlog would be the wrong measure: many peers share the same
//! batches, and ending one of them frees nothing. The longest stalled ones hold the oldest batches.

use crate::budget::Budget;
use crate::id::Slot;

use super::{Member, Table};

impl Table {
    /// Drops backlogs until the budget is relieved. Returns how many peers have lost theirs.
    pub(in crate::hub) fn relieve(&mut self, budget: &Budget, now: u32) -> usize {
        let members = self.members.iter().flatten();
        let mut stalled: Vec<(u32, Slot)> = members
            .filter_map(|member| Some((stalled_since(member, now)?, member.transport.id().slot())))
            .collect();
        stalled.sort_unstable();
        let mut dropped = Vec::new();
        let mut rests = 0;
        for (_, slot) in stalled {
            if budget.is_relieved() {
                break;
            }
            rests += self.drop_backlog(slot);
            dropped.push(slot);
            // The peers that lost their backlog may keep a quarter of the budget.
            if rests > budget.limit() / 4 {
                self.cut_off(&dropped);
                rests = 0;
            }
        }
        if budget.is_spent() {
            self.cut_off(&dropped);
        }
        self.drop_overflowed();
        dropped.len()
    }

    /// Cuts off peers, because the rests of their partly written frames keep too much memory. Peers
    /// that have been stalled for a shorter time would lose their backlogs instead.
    fn cut_off(&mut self, slots: &[Slot]) {
        for &slot in slots {
            if let Some(member) = self.member(slot) {
                member.transport.cut_off();
            }
        }
    }

    /// Drops what waits for a peer. Returns how many bytes are left: the rest of a frame.
    fn drop_backlog(&mut self, slot: Slot) -> usize {
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return 0;
        };
        if has_owed(member) {
            self.owed_members -= 1;
            if !member.transport.drop_owed(&mut member.owed) {
                member.overflow(&mut self.overflowed);
            }
            self.owed_members += usize::from(member.owed.is_some());
        }
        member.transport.drop_backlog();
        member.transport.waiting()
    }
}

fn has_owed(member: &Member) -> bool {
    member.owed.as_ref().is_some_and(|owed| !owed.is_empty())
}

/// Returns since when a peer has read nothing of what waits for it, or `None` if nothing waits.
fn stalled_since(member: &Member, now: u32) -> Option<u32> {
    let transport = &member.transport;
    if transport.is_blocked() {
        transport.look_at_progress(now);
        return Some(transport.stalled_since(now));
    }
    has_owed(member).then(|| transport.progress.at())
}
