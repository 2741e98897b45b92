//! Delivery: a flush round collects messages in their channels, then writes them to the members.
//!
//! Most members of a channel get the same batch, which is composed once. A member gets a batch of
//! its own if it belongs to several touched channels, published something in this round, or was
//! flushed in the middle of the round.

use crate::hub::record::Channel;
use crate::id::Slot;
use crate::protocol::{Encoded, Form};
use crate::transport::Batch;

use super::channels::{Published, Seat};
use super::round::Span;
use super::{Activity, ChannelIndex, Table};

/// The buffers in which the batches of channels are composed. They are kept from round to round.
#[derive(Default)]
pub(super) struct Buffers {
    plain: Vec<u8>,
    deflated: Vec<u8>,
}

/// The last batch that was merged from several channels.
///
/// Most members of the same set of channels get the same batch, so the batch is used again for
/// them.
#[derive(Default)]
pub(super) struct MergedBatch {
    /// The round in which the batch may be used again; 0 means never.
    round: u64,
    channels: Vec<ChannelIndex>,
    form: Option<Form>,
    bytes: Vec<u8>,
}

impl Table {
    /// Adds a message to its channel, for delivery at the end of the round.
    pub(super) fn publish(&mut self, name: &Channel, from: Option<Slot>, frame: Encoded) {
        let Some(index) = self.find_channel(name) else {
            return;
        };
        let channel = &mut self.channels[index as usize];
        if channel.touched_round != self.round {
            channel.touched_round = self.round;
            self.touched_channels.push(index);
        }
        channel.messages.push(Published {
            position: self.position,
            from,
            frame,
        });
        let round = self.round;
        if let Some(member) = from.and_then(|slot| self.member(slot)) {
            member.in_round(round).has_published = true;
        }
    }

    /// Returns whether messages of this sender are published.
    ///
    /// The hub may close a connection before the connection's activation is applied. Such a
    /// connection was never active, but its task does not know that yet and may still publish. Its
    /// messages are dropped.
    pub(super) fn may_publish(&mut self, from: Option<Slot>) -> bool {
        let sender = from.and_then(|slot| self.member(slot));
        sender.is_none_or(|sender| sender.was_active || sender.activity != Activity::Over)
    }

    /// Delivers the messages of the round, with one write for each member of a touched channel.
    pub(in crate::hub) fn deliver(&mut self) {
        let touched = std::mem::take(&mut self.touched_channels);
        let is_only = touched.len() == 1;
        if !is_only {
            self.note_touched(&touched);
        }
        for &index in &touched {
            self.deliver_channel(index, is_only);
        }
        self.deliver_left_channels();
        self.drop_overflowed();
        for &index in &touched {
            let channel = &mut self.channels[index as usize];
            channel.messages.clear();
            if channel.members.is_empty() && matches!(channel.name, Channel::Topic(_)) {
                self.free_topic(index);
            }
        }
        self.touched_channels = touched;
        self.end_round();
    }

    /// Ends the round, so that no channel counts as touched until the next round begins. The sweep
    /// runs in between, and a channel that it empties is then freed at once.
    fn end_round(&mut self) {
        self.round += 1;
        self.touched_channels.clear();
        self.notes.clear();
        self.forget_all_listings();
        shrink(&mut self.buffers.plain);
        shrink(&mut self.buffers.deflated);
        shrink(&mut self.merged.bytes);
        self.shrink_channels();
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
        for &Seat { slot, .. } in &channel.members {
            let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
                continue;
            };
            if !member.activity.receives() {
                continue;
            }
            let in_round = member.in_round(round);
            if std::mem::replace(&mut in_round.is_delivered, true) {
                continue;
            }
            let is_only = is_only || self.notes.is_in_one_touched_channel(in_round);
            if is_only && in_round.gets_all() {
                let batch = match &mut deflated {
                    Some(batch) if member.transport.form() == Form::Deflated => batch,
                    _ => &mut plain,
                };
                member.receive(batch, &mut self.owed_members, &mut self.overflowed);
            } else {
                self.needs_own_batch.push(slot);
            }
        }
        let mut needs_own_batch = std::mem::take(&mut self.needs_own_batch);
        for slot in needs_own_batch.drain(..) {
            self.deliver_own_batch(slot, is_only.then_some(index));
        }
        self.needs_own_batch = needs_own_batch;
    }

    /// Delivers to a member that needs a batch of its own. `only` is the only touched channel.
    fn deliver_own_batch(&mut self, slot: Slot, only: Option<ChannelIndex>) {
        let round = self.round;
        let mut channels = std::mem::take(&mut self.own_channels);
        channels.clear();
        channels.extend(only);
        if only.is_none()
            && let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut)
        {
            channels.extend(self.notes.touched_channels(member.in_round(round)));
        }
        self.write_own_batch(slot, &channels);
        self.own_channels = channels;
    }

    /// Delivers to the members that have left all channels which have messages, and that are owed
    /// messages from before.
    fn deliver_left_channels(&mut self) {
        let round = self.round;
        let mut changes = 0;
        while let Some(slot) = self.notes.changed_member(changes) {
            changes += 1;
            if let Some(member) = self.member(slot)
                && !std::mem::replace(&mut member.in_round(round).is_delivered, true)
            {
                self.write_own_batch(slot, &[]);
            }
        }
    }

    /// Writes the messages that a member is owed so far in this round.
    pub(super) fn flush_member(&mut self, slot: Slot) {
        if self.touched_channels.is_empty() {
            return;
        }
        let mut channels = std::mem::take(&mut self.own_channels);
        channels.clear();
        if let Some(member) = self.members.get(slot as usize).and_then(Option::as_ref) {
            let memberships = member.memberships.iter();
            let all = memberships.map(|membership| membership.channel);
            let is_touched =
                |index: &ChannelIndex| self.channels[*index as usize].touched_round == self.round;
            channels.extend(all.filter(is_touched));
        }
        self.write_own_batch(slot, &channels);
        self.own_channels = channels;
        self.owe_only_later(slot);
    }

    /// Writes a batch made for one member, merged from its touched channels in the order of the
    /// log.
    ///
    /// Leaves out the member's own messages, and those of times when it was not in their channel.
    fn write_own_batch(&mut self, slot: Slot, channels: &[ChannelIndex]) {
        let is_applying = self.is_applying();
        let round = self.round;
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        if !member.activity.receives() {
            return;
        }
        let form = member.transport.form();
        let in_round = member.in_round(round);
        let gets_all = in_round.gets_all();
        if !(gets_all && self.merged.fits(round, channels, form)) {
            let spans = self.notes.spans(in_round, channels);
            let messages = spans
                .iter()
                .flat_map(|span| part(&self.channels[span.channel as usize].messages, span))
                .filter(|message| message.from != Some(slot));
            self.merged.merge(messages.collect(), form);
            // While records are being applied, more messages may follow, so the batch made then is
            // not used again.
            let is_reusable = gets_all && !is_applying;
            self.merged.round = if is_reusable { round } else { 0 };
            self.merged.channels.clear();
            self.merged.channels.extend_from_slice(channels);
        }
        if !self.merged.bytes.is_empty() {
            let batch = &mut Batch::new(&self.merged.bytes);
            member.receive(batch, &mut self.owed_members, &mut self.overflowed);
        }
    }

    /// Returns whether records are being applied, and not delivered. The list of touched channels
    /// is empty while `deliver` runs.
    fn is_applying(&self) -> bool {
        !self.touched_channels.is_empty()
    }
}

impl MergedBatch {
    /// Returns whether the batch is the one for these channels in this form.
    fn fits(&self, round: u64, channels: &[ChannelIndex], form: Form) -> bool {
        self.round == round && self.form == Some(form) && self.channels == channels
    }

    /// Composes a batch of the messages of several channels, in the order of the log.
    fn merge(&mut self, mut messages: Vec<&Published>, form: Form) {
        messages.sort_unstable_by_key(|message| message.position);
        self.bytes.clear();
        for message in messages {
            self.bytes.extend_from_slice(message.frame.frame(form));
        }
        self.form = Some(form);
    }
}

/// Returns the part of a channel's messages that a span names. Messages are sorted by position.
fn part<'a>(messages: &'a [Published], span: &Span) -> &'a [Published] {
    let start = messages.partition_point(|message| message.position <= span.after);
    let end = messages.partition_point(|message| message.position < span.before);
    messages.get(start..end).unwrap_or_default()
}

/// Composes a channel's messages into one batch. A single message is shared without a copy.
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

/// Frees a buffer that an unusually large round has grown beyond 1 MiB.
fn shrink(buffer: &mut Vec<u8>) {
    const KEEP: usize = 1024 * 1024;
    if buffer.capacity() > KEEP {
        *buffer = Vec::new();
    }
}
