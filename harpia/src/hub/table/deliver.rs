//! Delivery: what a round collected goes out, one write for each member of a touched channel.

use crate::id::Slot;
use crate::protocol::Form;
use crate::transport::Batch;

use super::{ChannelIndex, ChannelState, Member, Membership, Published, Table};

/// What runs are composed in, kept from round to round.
#[derive(Default)]
pub(super) struct Buffers {
    plain: Vec<u8>,
    deflated: Vec<u8>,
}

/// The last run that was merged from several channels: most members of a set of channels get
/// the same one.
#[derive(Default)]
pub(super) struct MergedBatch {
    /// The round that it is of, or 0.
    round: u64,
    channels: Vec<ChannelIndex>,
    form: Option<Form>,
    run: Vec<u8>,
}

impl Table {
    /// Delivers what the round collected: one write for each member of a touched channel.
    pub(in crate::hub) fn deliver(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        for &index in &touched {
            self.deliver_channel(index, touched.len() == 1);
        }
        self.drop_overflowed();
        for &index in &touched {
            let channel = &mut self.channels[index as usize];
            channel.messages.clear();
            if channel.members.is_empty() {
                self.free_channels.push(index);
            }
        }
        self.touched = touched;
        self.touched.clear();
        self.forget_all_listings();
        shrink(&mut self.buffers.plain);
        shrink(&mut self.buffers.deflated);
        // Between two rounds no channel counts as touched, so that one that empties is freed.
        self.round += 1;
        shrink(&mut self.merged.run);
    }

    fn deliver_channel(&mut self, index: ChannelIndex, is_only: bool) {
        let round = self.round;
        let channel = &self.channels[index as usize];
        let Buffers { plain, deflated } = &mut self.buffers;
        let mut plain = compose(&channel.messages, Form::Plain, plain);
        let has_deflated = channel
            .messages
            .iter()
            .any(|message| message.frame.is_deflated());
        let mut deflated =
            has_deflated.then(|| compose(&channel.messages, Form::Deflated, deflated));
        for &slot in &channel.members {
            let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
                continue;
            };
            if member.visited == round || !member.activity.receives() {
                continue;
            }
            member.visited = round;
            let is_whole = member.sent != round && member.owed_from.0 != round;
            if is_whole && (is_only || touched_by(&self.channels, member, round) == 1) {
                let run = match &mut deflated {
                    Some(run) if member.transport.form() == Form::Deflated => run,
                    _ => &mut plain,
                };
                member.receive(run, &mut self.owing, &mut self.overflowed);
            } else {
                self.apart.push(slot);
            }
        }
        let mut apart = std::mem::take(&mut self.apart);
        for slot in apart.drain(..) {
            self.write_own_batch(slot);
        }
        self.apart = apart;
    }

    /// Writes a run made for one member: merged from its channels, without what it sent itself
    /// and what came before it was owed anything.
    pub(super) fn write_own_batch(&mut self, slot: Slot) {
        let is_applying = self.is_applying();
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        if !member.activity.receives() {
            return;
        }
        let round = self.round;
        let mut own: Vec<ChannelIndex> = member.memberships.iter().map(|one| one.channel).collect();
        own.retain(|&index| self.channels[index as usize].touched == round);
        if own.is_empty() {
            return;
        }
        own.sort_unstable();
        let since = if member.owed_from.0 == round {
            member.owed_from.1
        } else {
            0
        };
        let form = member.transport.form();
        let is_common = since == 0 && member.sent != round;
        // Only whole rounds are kept: while records are still applied, more may follow.
        if !(is_common && self.merged.is_of(round, &own, form)) {
            let messages = own
                .iter()
                .flat_map(|&index| &self.channels[index as usize].messages)
                .filter(|message| message.position > since && message.from != Some(slot));
            self.merged.merge(messages.collect(), form);
            let is_kept = is_common && !is_applying;
            self.merged.round = if is_kept { round } else { 0 };
            self.merged.channels = own;
        }
        if !self.merged.run.is_empty() {
            let run = &mut Batch::new(&self.merged.run);
            member.receive(run, &mut self.owing, &mut self.overflowed);
        }
    }

    /// While records are applied, `touched` is in place; `deliver` takes it out.
    fn is_applying(&self) -> bool {
        !self.touched.is_empty()
    }
}

impl MergedBatch {
    fn is_of(&self, round: u64, channels: &[ChannelIndex], form: Form) -> bool {
        self.round == round && self.form == Some(form) && self.channels == channels
    }

    /// Composes a run of messages of several channels, in the order of the log.
    fn merge(&mut self, mut messages: Vec<&Published>, form: Form) {
        messages.sort_unstable_by_key(|message| message.position);
        self.run.clear();
        for message in messages {
            self.run.extend_from_slice(message.frame.frame(form));
        }
        self.form = Some(form);
    }
}

/// Joins a channel's messages into one run; a single one is shared as it is.
fn compose<'a>(messages: &'a [Published], form: Form, buffer: &'a mut Vec<u8>) -> Batch<'a> {
    if let [message] = messages {
        return Batch::of(message.frame.frame(form));
    }
    buffer.clear();
    for message in messages {
        buffer.extend_from_slice(message.frame.frame(form));
    }
    Batch::new(buffer)
}

fn touched_by(channels: &[ChannelState], member: &Member, round: u64) -> usize {
    let touched = |one: &&Membership| channels[one.channel as usize].touched == round;
    member.memberships.iter().filter(touched).count()
}

/// After an unusually large round its buffer is given back.
fn shrink(buffer: &mut Vec<u8>) {
    const KEEP: usize = 1024 * 1024;
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}
