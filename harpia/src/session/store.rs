//! What a store of sessions must be able to do: bytes under keys, for a time.

use std::time::Duration;

use bytes::Bytes;

use super::SessionError;

/// Keeps bytes under keys for a time; a [`Session`](crate::Session) is built on it.
///
/// [`MemoryStore`](super::MemoryStore) is one, and `RedisStore` with the feature `redis`. For one of
/// your own: each operation is atomic, and an expired entry is as if it were not there. A key holds
/// a session's id and thereby a secret: it belongs in no log and no error text.
///
/// An operation ends in bounded time. What cannot be reached fails with
/// [`SessionError::unavailable`].
///
/// ```
/// use std::time::Duration;
/// use harpia::Session;
/// use harpia::Bytes;
/// use harpia::session::{MemoryStore, SessionError, Store};
///
/// /// Counts what is loaded.
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
/// A future that is dropped may have had its effect or not.
pub trait Store: Send + Sync + 'static {
    /// Adds an entry. Returns false, and changes nothing, where the key is taken.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer or has no room.
    fn insert(
        &self,
        key: &str,
        value: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send;

    /// Returns an entry and gives it its whole time again, or `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer.
    fn load(
        &self,
        key: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<Option<Bytes>, SessionError>> + Send;

    /// Replaces an entry that still has the expected value, and gives it its whole time again.
    /// Returns false, and changes nothing, where it has another value or is gone.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer or has no room.
    fn replace(
        &self,
        key: &str,
        expected: &[u8],
        value: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send;

    /// Moves an entry to a key that is not taken, and gives it its whole time again. From then on
    /// the old key has none. Returns false where there is no entry.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer.
    fn rename(
        &self,
        from: &str,
        to: &str,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, SessionError>> + Send;

    /// Removes an entry; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), SessionError>> + Send;
}
