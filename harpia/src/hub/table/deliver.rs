//! Delivery: what a turn collected goes out, one write for each member of a touched channel.

use crate::id::Slot;
use crate::protocol::Form;
use crate::write_end::Run;

use super::{ChannelIndex, ChannelState, Member, Membership, Piece, Table};

/// What runs are composed in, kept from turn to turn.
#[derive(Default)]
pub(super) struct Buffers {
    plain: Vec<u8>,
    deflated: Vec<u8>,
}

/// The last run that was merged from several channels: most members of a set of channels get
/// the same one.
#[derive(Default)]
pub(super) struct Mixed {
    /// The turn that it is of, or 0.
    turn: u64,
    channels: Vec<ChannelIndex>,
    form: Option<Form>,
    run: Vec<u8>,
}

impl Table {
    /// Delivers what the turn collected: one write for each member of a touched channel.
    pub(in crate::hub) fn deliver(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        for &index in &touched {
            self.deliver_channel(index, touched.len() == 1);
        }
        self.drop_overflowed();
        for &index in &touched {
            let channel = &mut self.channels[index as usize];
            channel.pieces.clear();
            if channel.members.is_empty() {
                self.free_channels.push(index);
            }
        }
        self.touched = touched;
        self.touched.clear();
        self.forget_all_listings();
        shrink(&mut self.buffers.plain);
        shrink(&mut self.buffers.deflated);
        shrink(&mut self.mixed.run);
    }

    fn deliver_channel(&mut self, index: ChannelIndex, is_only: bool) {
        let turn = self.turn;
        let channel = &self.channels[index as usize];
        let Buffers { plain, deflated } = &mut self.buffers;
        let mut plain = compose(&channel.pieces, Form::Plain, plain);
        let has_deflated = channel.pieces.iter().any(|piece| piece.frame.is_deflated());
        let mut deflated = has_deflated.then(|| compose(&channel.pieces, Form::Deflated, deflated));
        for &slot in &channel.members {
            let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
                continue;
            };
            if member.visited == turn || !member.activity.receives() {
                continue;
            }
            member.visited = turn;
            let is_whole = member.sent != turn && member.owed_from.0 != turn;
            if is_whole && (is_only || touched_by(&self.channels, member, turn) == 1) {
                let run = match &mut deflated {
                    Some(run) if member.end.form() == Form::Deflated => run,
                    _ => &mut plain,
                };
                member.receive(run, &mut self.owing, &mut self.overflowed);
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
        let is_applying = self.is_applying();
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        if !member.activity.receives() {
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
        let form = member.end.form();
        let is_common = since == 0 && member.sent != turn;
        // Only whole turns are kept: while records are still applied, more may follow.
        if !(is_common && self.mixed.is_of(turn, &own, form)) {
            let pieces = own
                .iter()
                .flat_map(|&index| &self.channels[index as usize].pieces)
                .filter(|piece| piece.position > since && piece.from != Some(slot));
            self.mixed.merge(pieces.collect(), form);
            let is_kept = is_common && !is_applying;
            self.mixed.turn = if is_kept { turn } else { 0 };
            self.mixed.channels = own;
        }
        if !self.mixed.run.is_empty() {
            let run = &mut Run::new(&self.mixed.run);
            member.receive(run, &mut self.owing, &mut self.overflowed);
        }
    }

    /// While records are applied, `touched` is in place; `deliver` takes it out.
    fn is_applying(&self) -> bool {
        !self.touched.is_empty()
    }
}

impl Mixed {
    fn is_of(&self, turn: u64, channels: &[ChannelIndex], form: Form) -> bool {
        self.turn == turn && self.form == Some(form) && self.channels == channels
    }

    /// Composes a run of pieces of several channels, in the order of the log.
    fn merge(&mut self, mut pieces: Vec<&Piece>, form: Form) {
        pieces.sort_unstable_by_key(|piece| piece.position);
        self.run.clear();
        for piece in pieces {
            self.run.extend_from_slice(piece.frame.frame(form));
        }
        self.form = Some(form);
    }
}

/// Joins a channel's messages into one run; a single one is shared as it is.
fn compose<'a>(pieces: &'a [Piece], form: Form, buffer: &'a mut Vec<u8>) -> Run<'a> {
    if let [piece] = pieces {
        return Run::of(piece.frame.frame(form));
    }
    buffer.clear();
    for piece in pieces {
        buffer.extend_from_slice(piece.frame.frame(form));
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
