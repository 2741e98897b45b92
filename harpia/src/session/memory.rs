//! Sessions in this process's memory: a table behind a lock, with the system's clock.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::limits::{MAX_SESSION_BYTES, MAX_SESSIONS};

use super::expiring_map::{ExpiringMap, StoreFull};
use super::{SessionError, Store};

/// Keeps sessions in memory: they are gone when the program ends, and serve one node.
///
/// Bounded: 100,000 sessions and 64 MiB by default. When it is full, what has expired makes room;
/// if nothing has, a new session is refused with [`SessionError::Unavailable`], which closes with
/// 1013. A live session is never thrown out: else whoever makes many sessions would log out all
/// others. So make sessions of those who logged in; those of guests get a short
/// [`ttl`](crate::Session::ttl) and a store of their own.
///
/// ```
/// use harpia::Session;
/// use harpia::session::MemoryStore;
///
/// let store = MemoryStore::new().max_sessions(1_000).max_bytes(1 << 20);
/// let sessions = Session::<String>::new(store);
/// ```
pub struct MemoryStore {
    /// Held for one look-up or change, never across an await. No task and no timer: each insert
    /// clears a few expired entries away.
    table: Mutex<ExpiringMap>,
    #[cfg(test)]
    ahead: Mutex<Duration>,
}

impl MemoryStore {
    /// Makes an empty one.
    pub fn new() -> Self {
        Self {
            table: Mutex::new(ExpiringMap::new(MAX_SESSIONS, MAX_SESSION_BYTES)),
            #[cfg(test)]
            ahead: Mutex::default(),
        }
    }

    /// Sets how many sessions it holds at most.
    pub fn max_sessions(self, count: usize) -> Self {
        self.table().max_entries = count;
        self
    }

    /// Sets how many bytes its sessions may take: data, key, and 256 bytes of the table for each.
    pub fn max_bytes(self, bytes: usize) -> Self {
        self.table().max_bytes = bytes;
        self
    }

    /// Returns how many sessions it holds; some of them may have expired.
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Says whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn table(&self) -> MutexGuard<'_, ExpiringMap> {
        // Nothing in the table panics half-way through a change.
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

    /// Moves its clock.
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

/// How much it holds, nothing of what.
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
        Self::unavailable("the memory store is full of live sessions")
    }
}
