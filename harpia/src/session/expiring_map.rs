//! A map of entries with a time to live, bounded in entries and bytes. The caller passes the time.
//!
//! Invariants: `order` has each entry once, under the entry's `place`. `bytes` is the sum of the
//! costs of all entries. An operation takes a hash and a few steps in a tree, however many entries
//! have expired.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// The memory of an entry besides its key and its value, rounded up, in bytes.
const OVERHEAD: usize = 256;

/// How many expired entries an insert removes at most. More than one, so that they run out.
const CLEARED_PER_INSERT: usize = 4;

pub(super) struct ExpiringMap {
    pub(super) max_entries: usize,
    pub(super) max_bytes: usize,
    bytes: usize,
    next_number: u64,
    /// Keys contain ids, which are secrets, and a lookup does not take constant time.
    ///
    /// That reveals nothing. A guess is compared only with the keys in its own bucket, and SipHash
    /// with a random seed chooses the bucket. So an attacker cannot aim guesses at one key to find
    /// it byte by byte. An id has 128 random bits, which are too many to guess at once.
    entries: HashMap<Arc<str>, Entry>,
    /// Keys by the time at which they expire. The number keeps two entries of one instant apart.
    order: BTreeMap<(Instant, u64), Arc<str>>,
}

struct Entry {
    value: Bytes,
    place: (Instant, u64),
}

/// The map is full, and no entry has expired.
#[derive(Debug, PartialEq)]
pub(super) struct StoreFull;

impl ExpiringMap {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            max_entries,
            max_bytes,
            bytes: 0,
            next_number: 0,
            entries: HashMap::new(),
            order: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn insert(
        &mut self,
        key: &str,
        value: Bytes,
        now: Instant,
        ttl: Duration,
    ) -> Result<bool, StoreFull> {
        self.clear(now, CLEARED_PER_INSERT);
        if self.is_live(key, now) {
            return Ok(false);
        }
        // There may be an expired entry that was not removed yet.
        self.take(key);
        let cost = cost(key, &value);
        self.make_room(now, 1, cost)?;
        self.put(key.into(), value, now + ttl);
        Ok(true)
    }

    pub(super) fn load(&mut self, key: &str, now: Instant, ttl: Duration) -> Option<Bytes> {
        let (key, value) = self.take_live(key, now)?;
        self.put(key, value.clone(), now + ttl);
        Some(value)
    }

    pub(super) fn replace(
        &mut self,
        key: &str,
        expected: &[u8],
        value: Bytes,
        now: Instant,
        ttl: Duration,
    ) -> Result<bool, StoreFull> {
        if !self.is_live(key, now) || self.entries[key].value != expected {
            return Ok(false);
        }
        let growth = value.len().saturating_sub(expected.len());
        self.make_room(now, 0, growth)?;
        if let Some((key, _)) = self.take_live(key, now) {
            self.put(key, value, now + ttl);
        }
        Ok(true)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, now: Instant, ttl: Duration) -> bool {
        let Some((_, value)) = self.take_live(from, now) else {
            return false;
        };
        self.remove(to);
        self.put(to.into(), value, now + ttl);
        true
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.take(key);
    }

    fn is_live(&self, key: &str, now: Instant) -> bool {
        self.entries
            .get(key)
            .is_some_and(|entry| entry.place.0 > now)
    }

    fn take_live(&mut self, key: &str, now: Instant) -> Option<(Arc<str>, Bytes)> {
        let is_live = self.is_live(key, now);
        let (key, entry) = self.take(key)?;
        is_live.then_some((key, entry.value))
    }

    fn take(&mut self, key: &str) -> Option<(Arc<str>, Entry)> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.order.remove(&entry.place);
        self.bytes -= cost(&key, &entry.value);
        Some((key, entry))
    }

    /// Adds an entry. The map must not have its key.
    fn put(&mut self, key: Arc<str>, value: Bytes, expires: Instant) {
        let place = (expires, self.next_number);
        self.next_number += 1;
        self.bytes += cost(&key, &value);
        self.order.insert(place, Arc::clone(&key));
        self.entries.insert(key, Entry { value, place });
    }

    /// Removes expired entries, at most this many, and returns how many.
    fn clear(&mut self, now: Instant, at_most: usize) -> usize {
        let mut cleared = 0;
        while cleared < at_most
            && let Some((place, key)) = self.order.first_key_value()
            && place.0 <= now
        {
            let key = Arc::clone(key);
            self.take(&key);
            cleared += 1;
        }
        cleared
    }

    fn make_room(&mut self, now: Instant, entries: usize, bytes: usize) -> Result<(), StoreFull> {
        while self.len() + entries > self.max_entries
            || self.bytes.saturating_add(bytes) > self.max_bytes
        {
            if self.clear(now, CLEARED_PER_INSERT) == 0 {
                return Err(StoreFull);
            }
        }
        Ok(())
    }
}

fn cost(key: &str, value: &Bytes) -> usize {
    key.len() + value.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn value(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn an_entry_lives_for_its_ttl_and_each_load_renews_it() {
        let (mut map, start) = (ExpiringMap::new(9, 1 << 20), Instant::now());
        assert_eq!(map.insert("a", value("1"), start, TTL), Ok(true));
        let almost = start + TTL - Duration::from_millis(1);
        assert_eq!(map.load("a", almost, TTL), Some(value("1")));
        assert_eq!(map.load("a", start + TTL, TTL), Some(value("1")));
        assert_eq!(map.load("a", start + TTL + TTL, TTL), None);
        assert_eq!(map.len(), 0);
    }

    #[test]
    fn an_expired_entry_cannot_be_replaced_or_renamed_and_its_key_is_free() {
        let (mut map, start) = (ExpiringMap::new(9, 1 << 20), Instant::now());
        let late = start + TTL;
        for key in ["a", "b", "c"] {
            assert_eq!(map.insert(key, value("1"), start, TTL), Ok(true));
        }
        assert_eq!(map.insert("a", value("2"), start, TTL), Ok(false));
        assert_eq!(map.replace("a", b"1", value("2"), late, TTL), Ok(false));
        assert!(!map.rename("b", "d", late, TTL));
        assert_eq!(map.insert("c", value("3"), late, TTL), Ok(true));
        assert_eq!(map.load("c", late, TTL), Some(value("3")));
    }

    #[test]
    fn an_insert_replaces_an_expired_entry_that_was_not_removed_yet() {
        let (mut map, start) = (ExpiringMap::new(9, 1 << 20), Instant::now());
        let keys = ["a", "b", "c", "d", "e", "f"];
        for key in keys {
            assert_eq!(map.insert(key, value("1"), start, TTL), Ok(true));
        }
        assert!(keys.len() > CLEARED_PER_INSERT);
        assert_eq!(map.insert("f", value("2"), start + TTL, TTL), Ok(true));
        assert_eq!(map.order.len(), map.entries.len());
        assert_eq!(map.load("f", start + TTL, TTL), Some(value("2")));
    }

    #[test]
    fn only_the_expected_value_is_replaced() {
        let (mut map, now) = (ExpiringMap::new(9, 1 << 20), Instant::now());
        assert_eq!(map.insert("a", value("1"), now, TTL), Ok(true));
        assert_eq!(map.replace("a", b"0", value("2"), now, TTL), Ok(false));
        assert_eq!(map.replace("a", b"1", value("2"), now, TTL), Ok(true));
        assert_eq!(map.load("a", now, TTL), Some(value("2")));
    }

    #[test]
    fn a_full_map_rejects_an_insert_and_removes_no_live_entry() {
        let (mut map, start) = (ExpiringMap::new(2, 1 << 20), Instant::now());
        assert_eq!(map.insert("a", value("1"), start, TTL), Ok(true));
        assert_eq!(map.insert("b", value("1"), start, TTL * 2), Ok(true));
        assert_eq!(map.insert("c", value("1"), start, TTL), Err(StoreFull));
        assert_eq!(map.insert("c", value("1"), start + TTL, TTL), Ok(true));
        assert_eq!(map.load("b", start + TTL, TTL), Some(value("1")));
        assert_eq!(map.load("a", start + TTL, TTL), None);
    }

    #[test]
    fn bytes_are_bounded_for_new_and_for_growing_entries() {
        let room = 2 * (OVERHEAD + 1) + 10;
        let (mut map, now) = (ExpiringMap::new(9, room), Instant::now());
        assert_eq!(map.insert("a", value("12345"), now, TTL), Ok(true));
        assert_eq!(map.insert("b", value("123456"), now, TTL), Err(StoreFull));
        assert_eq!(map.insert("b", value("12345"), now, TTL), Ok(true));
        assert_eq!(
            map.replace("b", b"12345", value("123456"), now, TTL),
            Err(StoreFull)
        );
        assert_eq!(map.load("b", now, TTL), Some(value("12345")));
        map.remove("a");
        assert_eq!(
            map.replace("b", b"12345", value("123456"), now, TTL),
            Ok(true)
        );
    }

    #[test]
    fn inserts_remove_expired_entries_that_are_never_loaded() {
        let (mut map, start) = (ExpiringMap::new(1_000, 1 << 20), Instant::now());
        for number in 0..400 {
            let key = format!("old {number}");
            assert_eq!(map.insert(&key, value("1"), start, TTL), Ok(true));
        }
        for number in 0..100 {
            let key = format!("new {number}");
            assert_eq!(map.insert(&key, value("1"), start + TTL, TTL), Ok(true));
        }
        assert_eq!(map.len(), 100);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u8),
        Load(u8),
        Replace(u8, u8, u8),
        Rename(u8, u8),
        Remove(u8),
        Wait(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..6u8, 0..3u8).prop_map(|(key, value)| Step::Insert(key, value)),
            (0..6u8).prop_map(Step::Load),
            (0..6u8, 0..3u8, 0..3u8).prop_map(|(key, old, new)| Step::Replace(key, old, new)),
            (0..6u8, 6..9u8).prop_map(|(from, to)| Step::Rename(from, to)),
            (0..9u8).prop_map(Step::Remove),
            (0..6u8).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        /// Compares the map with a simple one.
        #[test]
        fn the_map_behaves_like_a_plain_map(steps in steps()) {
            let mut now = Instant::now();
            let mut map = ExpiringMap::new(100, 1 << 20);
            let mut plain: HashMap<u8, (u8, Instant)> = HashMap::new();
            for step in steps {
                plain.retain(|_, (_, expires)| *expires > now);
                let bytes = |value: u8| Bytes::from(vec![value]);
                match step {
                    Step::Insert(key, value) => {
                        let is_new = !plain.contains_key(&key);
                        plain.entry(key).or_insert((value, now + TTL));
                        let got = map.insert(&key.to_string(), bytes(value), now, TTL);
                        prop_assert_eq!(got, Ok(is_new));
                    }
                    Step::Load(key) => {
                        let expected = plain.get_mut(&key).map(|entry| {
                            entry.1 = now + TTL;
                            bytes(entry.0)
                        });
                        prop_assert_eq!(map.load(&key.to_string(), now, TTL), expected);
                    }
                    Step::Replace(key, old, new) => {
                        let matches = plain.get(&key).is_some_and(|entry| entry.0 == old);
                        if matches {
                            plain.insert(key, (new, now + TTL));
                        }
                        let got = map.replace(&key.to_string(), &[old], bytes(new), now, TTL);
                        prop_assert_eq!(got, Ok(matches));
                    }
                    Step::Rename(from, to) => {
                        let taken = plain.remove(&from);
                        if let Some((value, _)) = taken {
                            plain.insert(to, (value, now + TTL));
                        }
                        let got = map.rename(&from.to_string(), &to.to_string(), now, TTL);
                        prop_assert_eq!(got, taken.is_some());
                    }
                    Step::Remove(key) => {
                        plain.remove(&key);
                        map.remove(&key.to_string());
                    }
                    Step::Wait(seconds) => now += Duration::from_secs(seconds.into()),
                }
                prop_assert_eq!(map.order.len(), map.entries.len());
                let cost: usize = map.entries.iter().map(|(key, one)| cost(key, &one.value)).sum();
                prop_assert_eq!(map.bytes, cost);
            }
        }
    }
}
