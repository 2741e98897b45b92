//! Delivery: what a turn collected goes out, one write for each member of a touched channel.

use crate::id::Slot;
use crate::write_end::Run;

use super::{ChannelIndex, ChannelState, Member, Membership, Piece, Table};

/// The last run that was merged from several channels: most members of a set of channels get
/// the same one.
#[derive(Default)]
pub(super) struct Mixed {
    turn: u64,
    channels: Vec<ChannelIndex>,
    run: Vec<u8>,
}

impl Table {
    /// Delivers what the turn collected: one write for each member of a touched channel.
    pub(in crate::hub) fn deliver(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        for &index in &touched {
            self.deliver_channel(index, touched.len() == 1);
        }
        for &index in &touched {
            let channel = &mut self.channels[index as usize];
            channel.pieces.clear();
            if channel.members.is_empty() {
                self.free_channels.push(index);
            }
        }
        self.touched = touched;
        self.touched.clear();
        shrink(&mut self.run);
        shrink(&mut self.mixed.run);
    }

    fn deliver_channel(&mut self, index: ChannelIndex, is_only: bool) {
        let turn = self.turn;
        let channel = &self.channels[index as usize];
        self.run.clear();
        let mut run = compose(&channel.pieces, &mut self.run);
        for &slot in &channel.members {
            let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
                continue;
            };
            if member.visited == turn || !member.active {
                continue;
            }
            member.visited = turn;
            let is_whole = member.sent != turn && member.owed_from.0 != turn;
            if is_whole && (is_only || touched_by(&self.channels, member, turn) == 1) {
                member.end.write_run(&mut run);
            } else {
                self.apart.push(slot);
            }
        }
        let mut apart = std::mem::take(&mut self.apart);
        for slot in apart.drain(..) {
            self.write_own(slot);
        }
        self.apart = apart;
    }

    /// Writes a run made for one member: merged from its channels, without what it sent itself
    /// and what came before it was owed anything.
    pub(super) fn write_own(&mut self, slot: Slot) {
        let Some(member) = self.members.get(slot as usize).and_then(Option::as_ref) else {
            return;
        };
        if !member.active {
            return;
        }
        let turn = self.turn;
        let mut own: Vec<ChannelIndex> = member.memberships.iter().map(|one| one.channel).collect();
        own.retain(|&index| self.channels[index as usize].touched == turn);
        if own.is_empty() {
            return;
        }
        own.sort_unstable();
        let since = if member.owed_from.0 == turn {
            member.owed_from.1
        } else {
            0
        };
        let is_common = since == 0 && member.sent != turn;
        // Only whole turns are kept: while records are still applied, more may follow.
        if !(is_common && self.mixed.turn == turn && self.mixed.channels == own) {
            let mut pieces: Vec<&Piece> = own
                .iter()
                .flat_map(|&index| &self.channels[index as usize].pieces)
                .filter(|piece| piece.position > since && piece.from != Some(slot))
                .collect();
            pieces.sort_unstable_by_key(|piece| piece.position);
            self.mixed.run.clear();
            for piece in pieces {
                self.mixed.run.extend_from_slice(&piece.frame);
            }
            self.mixed.turn = if is_common && !self.is_applying() {
                turn
            } else {
                0
            };
            self.mixed.channels = own;
        }
        if !self.mixed.run.is_empty() {
            member.end.write_run(&mut Run::new(&self.mixed.run));
        }
    }

    /// While records are applied, `touched` is in place; `deliver` takes it out.
    fn is_applying(&self) -> bool {
        !self.touched.is_empty()
    }
}

/// Joins a channel's messages into one run; a single one is shared as it is.
fn compose<'a>(pieces: &'a [Piece], buffer: &'a mut Vec<u8>) -> Run<'a> {
    if let [piece] = pieces {
        return Run::of(&piece.frame);
    }
    for piece in pieces {
        buffer.extend_from_slice(&piece.frame);
    }
    Run::new(buffer)
}

fn touched_by(channels: &[ChannelState], member: &Member, turn: u64) -> usize {
    let touched = |one: &&Membership| channels[one.channel as usize].touched == turn;
    member.memberships.iter().filter(touched).count()
}

/// After an unusually large turn its buffer is given back.
fn shrink(buffer: &mut Vec<u8>) {
    const KEEP: usize = 1024 * 1024;
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}
