//! The trait of session stores: bytes under keys, with a time to live.

use std::time::Duration;

use bytes::Bytes;

use super::SessionError;

/// A store of bytes under keys, with a time to live.
///
/// A [`Session`](crate::Session) needs one.
///
/// harpia has [`MemoryStore`](super::MemoryStore), and `RedisStore` with the feature `redis`. A
/// store of your own must keep these rules:
///
/// - Each operation is atomic.
/// - An expired entry does not exist.
/// - A key contains the id of a session, which is a secret. Do not log it, and do not put it in an
///   error.
/// - Each operation ends in bounded time. If the store cannot be reached, it fails with
///   [`SessionError::unavailable`].
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::time::Duration;
/// use harpia::session::{MemoryStore, SessionError, Store};
/// use harpia::{Bytes, Session};
///
/// /// Counts how often a session is loaded.
/// struct Counted {
///     store: MemoryStore,
///     loads: AtomicU64,
/// }
///
/// impl Store for Counted {
///     async fn insert(
///         &self, key: &str, value: Bytes, ttl: Duration,
///     ) -> Result<bool, SessionError> {
///         self.store.insert(key, value, ttl).await
///     }
///
///     async fn load(&self, key: &str, ttl: Duration) -> Result<Option<Bytes>, SessionError> {
///         self.loads.fetch_add(1, Ordering::Relaxed);
///         self.store.load(key, ttl).await
///     }
///
///     async fn replace(
///         &self, key: &str, expected: &[u8], value: Bytes, ttl: Duration,
///     ) -> Result<bool, SessionError> {
///         self.store.replace(key, expected, value, ttl).await
///     }
///
///     async fn rename(&self, from: &str, to: &str, ttl: Duration) -> Result<bool, SessionError> {
///         self.store.rename(from, to, ttl).await
///     }
///
///     async fn remove(&self, key: &str) -> Result<(), SessionError> {
///         self.store.remove(key).await
///     }
/// }
///
/// let store = Counted { store: MemoryStore::new(), loads: AtomicU64::new(0) };
/// let sessions = Session::<String, _>::new(store);
/// ```
///
/// # Cancel safety
///
/// If a future is dropped, its operation has happened completely or not at all.
pub trait Store: Send + Sync + 'static {
    /// Adds an entry. Returns `false` and changes nothing if the key exists.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer or has no room.
    fn insert(
        &self,
        key: &str,
        value: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send;

    /// Returns the value of an entry and renews its time to live, or returns `None` if there is no
    /// entry.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer.
    fn load(
        &self,
        key: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Option<Bytes>, SessionError>> + Send;

    /// Replaces the value of an entry that has the expected value, and renews its time to live.
    ///
    /// Returns `false` and changes nothing if the entry has another value or does not exist.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer or has no room.
    fn replace(
        &self,
        key: &str,
        expected: &[u8],
        value: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send;

    /// Moves an entry to a new key, and renews its time to live.
    ///
    /// The old key does not exist afterwards. Returns `false` if there is no entry.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer.
    fn rename(
        &self,
        from: &str,
        to: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send;

    /// Removes an entry. Does nothing if there is no entry.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), SessionError>> + Send;
}
