//! The topics that a connection is subscribed to. They are kept to limit their number.
//!
//! The hub's table has them too. It belongs to the flusher's thread, so it cannot answer a
//! subscription at once.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytestring::ByteString;

/// The topics of one connection.
///
/// Locked, since a handler may share the socket with other threads. The lock is held until the
/// subscription is in the hub's log, so that the log has the same order of changes as this set.
#[derive(Debug, Default)]
pub(super) struct Topics(Mutex<TopicSet>);

/// Most connections have few topics. These are in a list, which takes less memory than a set.
#[derive(Debug)]
pub(super) enum TopicSet {
    Few(Vec<ByteString>),
    Many(HashSet<ByteString>),
}

/// How many topics are kept in a list. To search so many takes as long as to hash one.
const FEW: usize = 8;

impl Topics {
    pub(super) fn lock(&self) -> MutexGuard<'_, TopicSet> {
        // A poisoned lock is safe to use: a panic cannot leave a collection half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TopicSet {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl TopicSet {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(set) => set.len(),
        }
    }

    pub(super) fn contains(&self, topic: &str) -> bool {
        match self {
            Self::Few(list) => list.iter().any(|known| *known == topic),
            Self::Many(set) => set.contains(topic),
        }
    }

    /// Adds a topic that the set does not contain.
    pub(super) fn add(&mut self, topic: ByteString) {
        match self {
            Self::Few(list) if list.len() < FEW => {
                list.reserve_exact(1);
                list.push(topic);
            }
            Self::Few(list) => {
                let all = list.drain(..).chain([topic]);
                *self = Self::Many(all.collect());
            }
            Self::Many(set) => {
                set.insert(topic);
            }
        }
    }

    /// Removes a topic, and returns whether the set contained it.
    pub(super) fn remove(&mut self, topic: &str) -> bool {
        match self {
            Self::Few(list) => match list.iter().position(|known| *known == topic) {
                Some(at) => {
                    list.swap_remove(at);
                    true
                }
                None => false,
            },
            Self::Many(set) => {
                let was_known = set.remove(topic);
                if set.is_empty() {
                    *self = Self::default();
                }
                was_known
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn topics_are_a_set_whatever_their_number(
            changes in prop::collection::vec((any::<bool>(), 0..30u8), 0..200),
        ) {
            let mut topics = TopicSet::default();
            let mut expected = HashSet::new();
            for (adds, number) in changes {
                let topic = format!("topic {number}");
                prop_assert_eq!(topics.contains(&topic), expected.contains(&topic));
                if adds && expected.insert(topic.clone()) {
                    topics.add(topic.into());
                } else if !adds {
                    prop_assert_eq!(topics.remove(&topic), expected.remove(&topic));
                }
                prop_assert_eq!(topics.len(), expected.len());
            }
        }
    }
}
