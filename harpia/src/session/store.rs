//! The trait of session stores: bytes under keys, with a time to live.

use std::time::Duration;

use bytes::Bytes;

use super::SessionError;

/// A store of bytes under keys, with a time to live. A [`Session`](crate::Session) needs one.
///
/// harpia has [`MemoryStore`](super::MemoryStore), and `RedisStore` with the feature `redis`. A store
/// of your own must keep these rules:
///
/// - Each operation is atomic.
/// - An expired entry does not exist.
/// - A key contains the id of a session, which is a secret. Do not log it, and do not put it in an
///   error.
/// - Each operation ends in bounded time. If the store cannot be reached, it fails with
///   [`SessionError::unavailable`].
///
/// ```
/// use std::time::Duration;
/// use harpia::Session;
/// use harpia::Bytes;
/// use harpia::session::{MemoryStore, SessionError, Store};
///
/// /// Counts how often a session is loaded.
/// struct Counted(MemoryStore, prometheus::Counter);
/// # mod prometheus {
/// #     #[derive(Default)]
/// #     pub struct Counter(std::sync::atomic::AtomicU64);
/// #     impl Counter { pub fn inc(&self) { self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed); } }
/// # }
///
/// impl Store for Counted {
///     async fn insert(&self, key: &str, value: Bytes, ttl: Duration) -> Result<bool, SessionError> {
///         self.0.insert(key, value, ttl).await
///     }
///     async fn load(&self, key: &str, ttl: Duration) -> Result<Option<Bytes>, SessionError> {
///         self.1.inc();
///         self.0.load(key, ttl).await
///     }
///     async fn replace(
///         &self, key: &str, expected: &[u8], value: Bytes, ttl: Duration,
///     ) -> Result<bool, SessionError> {
///         self.0.replace(key, expected, value, ttl).await
///     }
///     async fn rename(&self, from: &str, to: &str, ttl: Duration) -> Result<bool, SessionError> {
///         self.0.rename(from, to, ttl).await
///     }
///     async fn remove(&self, key: &str) -> Result<(), SessionError> {
///         self.0.remove(key).await
///     }
/// }
///
/// let sessions = Session::<String, _>::new(Counted(MemoryStore::new(), Default::default()));
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

    /// Returns the value of an entry and renews its time to live, or returns `None` if there is no entry.
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
