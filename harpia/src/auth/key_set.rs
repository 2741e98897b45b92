//! The keys of a verifier: one key, or several by their `kid`.

use std::collections::HashMap;
use std::fmt;

use super::Key;

/// The keys of a verifier.
#[derive(Clone)]
pub(super) enum KeySet {
    /// One key for all tokens, whatever their `kid`.
    One(Box<Key>),
    ByKid(HashMap<Box<str>, Key>),
}

impl KeySet {
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match self {
            Self::One(key) => Some(key),
            Self::ByKid(keys) => keys.get(kid?),
        }
    }

    pub(super) fn for_each(&mut self, mut change: impl FnMut(&mut Key)) {
        match self {
            Self::One(key) => change(key),
            Self::ByKid(keys) => keys.values_mut().for_each(change),
        }
    }
}

/// Prints algorithms and names, and no key.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(key) => key.fmt(f),
            Self::ByKid(keys) => keys.fmt(f),
        }
    }
}
