//! What happens to the members in one flush round, and which messages of the round are for whom.
//!
//! Messages are delivered at the end of a round, and members join and leave channels in the middle
//! of it. If a channel already has messages, its changes are noted with their position. From these
//! notes, `deliver` computes which part of the channel's messages is for a member.
//!
//! The notes of one member are linked, so that they are found without a search.

use crate::id::Slot;

use super::{ChannelIndex, Member, Table};

/// What has happened to a member in a round.
#[derive(Default)]
pub(super) struct InRound {
    /// The round that the other fields are about.
    round: u64,
    /// Messages up to this position are not for the member, or were already written to it.
    owed_after: u32,
    /// The last change of the member's channels.
    last_change: Link,
    /// The last of the member's channels that have messages.
    last_touched: Link,
    /// Whether the member has published something. It does not get its own messages.
    pub(super) has_published: bool,
    /// Whether the messages of the round were delivered to the member.
    pub(super) is_delivered: bool,
}

/// An entry of a list within a vector: its index plus one, or 0 for none.
type Link = u32;

/// A change of a member's channels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    Joined,
    Left,
}

/// The notes of the current round about all members.
#[derive(Default)]
pub(super) struct RoundNotes {
    changes: Vec<ChangeNote>,
    touched: Vec<TouchedNote>,
}

/// A member has joined or left a channel that had messages by then.
#[derive(Clone, Copy)]
struct ChangeNote {
    slot: Slot,
    channel: ChannelIndex,
    position: u32,
    change: Change,
    previous: Link,
}

/// One of a member's channels has messages.
struct TouchedNote {
    channel: ChannelIndex,
    previous: Link,
}

/// A part of a channel's messages: those after one position and before another.
pub(super) struct Span {
    pub(super) channel: ChannelIndex,
    pub(super) after: u32,
    pub(super) before: u32,
}

impl InRound {
    /// Returns whether all messages of the member's channels are for it.
    pub(super) fn gets_all(&self) -> bool {
        !self.has_published && self.owed_after == 0 && self.last_change == 0
    }
}

impl Member {
    /// Returns what has happened to the member in a round, which must be the current one.
    pub(super) fn in_round(&mut self, round: u64) -> &mut InRound {
        if self.in_round.round != round {
            self.in_round = InRound {
                round,
                ..InRound::default()
            };
        }
        &mut self.in_round
    }
}

impl Table {
    /// Notes that of this round, a member is owed only messages after the current record.
    pub(super) fn owe_only_later(&mut self, slot: Slot) {
        let (round, position) = (self.round, self.position);
        if let Some(member) = self.member(slot) {
            member.in_round(round).owed_after = position;
        }
    }

    /// Notes that a member joins or leaves a channel, if the channel has messages of this round.
    pub(super) fn note_change(&mut self, slot: Slot, channel: ChannelIndex, change: Change) {
        let (round, position) = (self.round, self.position);
        if self.channels[channel as usize].touched_round != round {
            return;
        }
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        let in_round = member.in_round(round);
        self.notes.changes.push(ChangeNote {
            slot,
            channel,
            position,
            change,
            previous: in_round.last_change,
        });
        in_round.last_change = link_to_last(&self.notes.changes);
    }

    /// Notes for each member which of its channels have messages.
    pub(super) fn note_touched(&mut self, touched: &[ChannelIndex]) {
        for &channel in touched {
            for seat in &self.channels[channel as usize].members {
                let member = self.members.get_mut(seat.slot as usize);
                let Some(member) = member.and_then(Option::as_mut) else {
                    continue;
                };
                let in_round = member.in_round(self.round);
                self.notes.touched.push(TouchedNote {
                    channel,
                    previous: in_round.last_touched,
                });
                in_round.last_touched = link_to_last(&self.notes.touched);
            }
        }
    }
}

impl RoundNotes {
    /// Returns whether at most one of the member's channels has messages.
    pub(super) fn is_in_one_touched_channel(&self, in_round: &InRound) -> bool {
        entry(&self.touched, in_round.last_touched).is_none_or(|last| last.previous == 0)
    }

    /// Returns the member's channels that have messages, from the last to the first.
    pub(super) fn touched_channels(
        &self,
        in_round: &InRound,
    ) -> impl Iterator<Item = ChannelIndex> {
        let last = entry(&self.touched, in_round.last_touched);
        let notes = std::iter::successors(last, |note| entry(&self.touched, note.previous));
        notes.map(|note| note.channel)
    }

    /// Returns the member of the change with this index, or `None` if there are fewer changes.
    pub(super) fn changed_member(&self, index: usize) -> Option<Slot> {
        self.changes.get(index).map(|note| note.slot)
    }

    /// Finds which messages of the round are for a member: those of its `channels`, as far as it
    /// was a member of them, and those of channels that it has left.
    pub(super) fn spans(&self, in_round: &InRound, channels: &[ChannelIndex]) -> Vec<Span> {
        let owed_after = in_round.owed_after;
        let changes = self.changes(in_round);
        let mut spans = Vec::with_capacity(channels.len());
        for changes in changes.chunk_by(|one, next| one.channel == next.channel) {
            add_spans(&mut spans, changes, owed_after);
        }
        for &channel in channels {
            let changed = changes.binary_search_by_key(&channel, |change| change.channel);
            if changed.is_err() {
                spans.push(Span {
                    channel,
                    after: owed_after,
                    before: u32::MAX,
                });
            }
        }
        spans
    }

    /// Returns the changes of a member, by channel and position.
    fn changes(&self, in_round: &InRound) -> Vec<ChangeNote> {
        let last = entry(&self.changes, in_round.last_change);
        let changes = std::iter::successors(last, |note| entry(&self.changes, note.previous));
        let mut changes: Vec<_> = changes.copied().collect();
        changes.sort_unstable_by_key(|change| (change.channel, change.position));
        changes
    }

    /// Forgets the notes, at the end of a round.
    pub(super) fn clear(&mut self) {
        /// So many notes keep their memory for later rounds.
        const KEEP: usize = 64 * 1024;
        self.changes.clear();
        self.changes.shrink_to(KEEP);
        self.touched.clear();
        self.touched.shrink_to(KEEP);
    }
}

/// Adds the parts of one channel that are for a member. `changes` are its changes of that channel.
fn add_spans(spans: &mut Vec<Span>, changes: &[ChangeNote], owed_after: u32) {
    // A member whose first change is to leave was in the channel before.
    let was_member = changes
        .first()
        .is_some_and(|first| first.change == Change::Left);
    let mut after = was_member.then_some(owed_after);
    for change in changes {
        let (channel, before) = (change.channel, change.position);
        match change.change {
            Change::Joined => after = Some(owed_after.max(change.position)),
            Change::Left => spans.extend(after.take().map(|after| Span {
                channel,
                after,
                before,
            })),
        }
    }
    if let (Some(after), [change, ..]) = (after, changes) {
        spans.push(Span {
            channel: change.channel,
            after,
            before: u32::MAX,
        });
    }
}

fn entry<T>(notes: &[T], link: Link) -> Option<&T> {
    notes.get(link.checked_sub(1)? as usize)
}

/// Cannot saturate: the memory for so many notes would be exhausted long before.
fn link_to_last<T>(notes: &[T]) -> Link {
    Link::try_from(notes.len()).unwrap_or(Link::MAX)
}
