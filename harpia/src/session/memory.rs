//! Sessions in the memory of this process: an `ExpiringMap` in a lock, with the system's clock.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::limits::{MAX_SESSION_BYTES, MAX_SESSIONS};

use super::expiring_map::{ExpiringMap, StoreFull};
use super::{SessionError, Store};

/// A store for sessions in memory, for one node.
///
/// Its sessions are lost when the program ends.
///
/// By default it holds 100,000 sessions and 64 MiB. When it is full, expired sessions make room. If
/// none has expired, a new session fails with [`SessionError::Unavailable`], which closes a
/// connection with 1013.
///
/// A full store never removes a live session: else a client that makes many sessions could log out
/// all others. So make sessions only for visitors who log in. Give guests a store of their own,
/// with a short [`ttl`](crate::Session::ttl).
///
/// ```
/// use harpia::Session;
/// use harpia::session::MemoryStore;
///
/// let store = MemoryStore::new().max_sessions(1_000).max_bytes(1 << 20);
/// let sessions = Session::<String>::new(store);
/// ```
pub struct MemoryStore {
    /// Locked for one lookup or change, never across an `await`. There is no task and no timer:
    /// each insert removes a few expired entries.
    table: Mutex<ExpiringMap>,
    #[cfg(test)]
    ahead: Mutex<Duration>,
}

impl MemoryStore {
    /// Makes an empty store.
    ///
    /// ```
    /// use harpia::session::MemoryStore;
    ///
    /// assert!(MemoryStore::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self {
            table: Mutex::new(ExpiringMap::new(MAX_SESSIONS, MAX_SESSION_BYTES)),
            #[cfg(test)]
            ahead: Mutex::default(),
        }
    }

    /// Sets how many sessions the store holds at most. Default: 100,000.
    ///
    /// ```
    /// let store = harpia::session::MemoryStore::new().max_sessions(1_000);
    /// ```
    pub fn max_sessions(self, count: usize) -> Self {
        self.table().max_entries = count;
        self
    }

    /// Sets how many bytes the sessions take at most. Default: 64 MiB.
    ///
    /// A session takes the bytes of its data and its key, and 256 bytes for the table.
    ///
    /// ```
    /// let store = harpia::session::MemoryStore::new().max_bytes(1024 * 1024);
    /// ```
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.table().max_bytes = bytes;
        self
    }

    /// Returns how many sessions the store holds, including expired sessions that were not removed
    /// yet.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Returns whether the store holds no session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn table(&self) -> MutexGuard<'_, ExpiringMap> {
        // No operation of the map panics in the middle of a change, so a poisoned lock is fine.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(not(test))]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[cfg(test)]
    fn now(&self) -> Instant {
        Instant::now() + *self.ahead.lock().unwrap()
    }

    /// Moves the clock of the store forward.
    #[cfg(test)]
    pub(super) fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the number of sessions, and no session.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("sessions", &self.len())
            .finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    async fn insert(&self, key: &str, value: Bytes, ttl: Duration) -> Result<bool, SessionError> {
        let now = self.now();
        Ok(self.table().insert(key, value, now, ttl)?)
    }

    async fn load(&self, key: &str, ttl: Duration) -> Result<Option<Bytes>, SessionError> {
        let now = self.now();
        Ok(self.table().load(key, now, ttl))
    }

    async fn replace(
        &self,
        key: &str,
        expected: &[u8],
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, SessionError> {
        let now = self.now();
        Ok(self.table().replace(key, expected, value, now, ttl)?)
    }

    async fn rename(&self, from: &str, to: &str, ttl: Duration) -> Result<bool, SessionError> {
        let now = self.now();
        Ok(self.table().rename(from, to, now, ttl))
    }

    async fn remove(&self, key: &str) -> Result<(), SessionError> {
        self.table().remove(key);
        Ok(())
    }
}

impl From<StoreFull> for SessionError {
    fn from(_: StoreFull) -> Self {
        Self::unavailable("the memory store is full")
    }
}
