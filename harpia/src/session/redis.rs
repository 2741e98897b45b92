//! Sessions in Redis: one shared connection, atomic scripts, and a timeout for every operation.
//!
//! The connection is made when an operation needs it, and dropped when it fails. So the first
//! operation after Redis has come back connects again. The `ConnectionManager` of the redis crate
//! would instead return the result of its last attempt, however old that is.

use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, RedisResult};
use redis::{Script, ScriptInvocation};
use tokio::time::{Instant, timeout_at};

use crate::limits::REDIS_TIMEOUT;

use super::{SessionError, Store};

/// A store for sessions in Redis 6.2 or newer, or in Valkey, which all nodes share.
///
/// It needs the feature `redis`. Every operation ends within its [`timeout`](Self::timeout),
/// including the time to connect. If Redis is down, operations fail with
/// [`SessionError::Unavailable`], which closes a connection with 1013 "Try Again Later". Once Redis
/// is back, so are the sessions that it has kept.
///
/// Use one server, with or without replicas. A cluster does not work, since its nodes cannot rename
/// a key.
///
/// ```no_run
/// use harpia::Session;
/// use harpia::session::RedisStore;
///
/// # #[tokio::main]
/// # async fn main() -> harpia::Result {
/// let store = RedisStore::connect("redis://127.0.0.1:6379/").await?;
/// let sessions: Session<String, RedisStore> = Session::new(store);
/// # Ok(())
/// # }
/// ```
///
/// For TLS (`rediss://`), add `redis` to your dependencies with the feature `tokio-rustls-comp`.
pub struct RedisStore {
    client: Client,
    timeout: Duration,
    /// The connection that all operations share. Locked to read or set it, never across an `await`.
    connection: Mutex<Option<Numbered>>,
    /// The number of the last connection. Locked while one operation connects for all of them.
    ///
    /// Many attempts at once would only add load to a server that is starting. Each operation waits
    /// no longer than its own timeout.
    connecting: tokio::sync::Mutex<u64>,
}

/// A connection with its number. The redis crate drives it in a task that ends with the last clone.
type Numbered = (u64, MultiplexedConnection);

impl RedisStore {
    /// Connects, and checks that Redis answers.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the URL is invalid, or if Redis does not answer within 2
    /// seconds.
    pub async fn connect(url: &str) -> Result<Self, SessionError> {
        let store = Self {
            client: Client::open(url).map_err(|error| fault(&error))?,
            timeout: REDIS_TIMEOUT,
            connection: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        };
        let () = store.query(&redis::cmd("PING"), Repeat::Once).await?;
        Ok(store)
    }

    /// Sets how long an operation may take. Default: 2 seconds.
    ///
    /// A handshake waits this long if Redis is down.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use harpia::session::RedisStore;
    ///
    /// # async fn connect() -> Result<(), harpia::session::SessionError> {
    /// let store = RedisStore::connect("redis://127.0.0.1:6379/").await?;
    /// let store = store.timeout(Duration::from_millis(500));
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends a request, and waits for the answer within the timeout.
    ///
    /// If the connection was lost, a request that may be repeated is sent once more on a new one.
    async fn query<T: FromRedisValue + Send + Sync>(
        &self,
        request: &impl Request,
        mut repeat: Repeat,
    ) -> Result<T, SessionError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let connected = timeout_at(deadline, self.connection()).await;
            let (number, mut connection) = connected
                .map_err(|_| late())?
                .map_err(|error| fault(&error))?;
            let answer = timeout_at(deadline, request.send(&mut connection)).await;
            if let Ok(Ok(answer)) = answer {
                return Ok(answer);
            }
            // Drop the connection after a timeout too: if the host is gone, the operating system
            // would notice that only after minutes.
            self.forget(number);
            let error = answer.map_err(|_| late())?.err();
            match (error, repeat) {
                (Some(error), Repeat::Once) if error.is_connection_dropped() => {
                    repeat = Repeat::Never;
                }
                (Some(error), _) => return Err(fault(&error)),
                (None, _) => return Err(late()),
            }
        }
    }

    async fn connection(&self) -> RedisResult<Numbered> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let mut last_number = self.connecting.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        // `query` has the timeouts.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let connection = connecting.await?;
        *last_number += 1;
        let numbered = (*last_number, connection);
        *self.slot() = Some(numbered.clone());
        Ok(numbered)
    }

    fn current(&self) -> Option<Numbered> {
        self.slot().clone()
    }

    /// Drops the connection with this number, unless a newer one has replaced it.
    fn forget(&self, number: u64) {
        self.slot().take_if(|(current, _)| *current == number);
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Numbered>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints neither the address nor the password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Store for RedisStore {
    async fn insert(&self, key: &str, value: Bytes, ttl: Duration) -> Result<bool, SessionError> {
        let mut set = redis::cmd("SET");
        set.arg(key).arg(&value[..]).arg("NX");
        set.arg("PX").arg(milliseconds(ttl));
        // If only the answer was lost, the second try finds the key taken, which is an error as
        // well.
        let set: Option<()> = self.query(&set, Repeat::Once).await?;
        Ok(set.is_some())
    }

    async fn load(&self, key: &str, ttl: Duration) -> Result<Option<Bytes>, SessionError> {
        let mut get = redis::cmd("GETEX");
        get.arg(key).arg("PX").arg(milliseconds(ttl));
        let value: Option<Vec<u8>> = self.query(&get, Repeat::Once).await?;
        Ok(value.map(Bytes::from))
    }

    async fn replace(
        &self,
        key: &str,
        expected: &[u8],
        value: Bytes,
        ttl: Duration,
    ) -> Result<bool, SessionError> {
        let mut replace = REPLACE.key(key);
        replace.arg(expected).arg(&value[..]).arg(milliseconds(ttl));
        // Not repeated: if only the answer was lost, the change would be applied twice.
        self.query(&replace, Repeat::Never).await
    }

    async fn rename(&self, from: &str, to: &str, ttl: Duration) -> Result<bool, SessionError> {
        let mut rename = RENAME.key(from);
        rename.key(to).arg(milliseconds(ttl));
        self.query(&rename, Repeat::Once).await
    }

    async fn remove(&self, key: &str) -> Result<(), SessionError> {
        let mut remove = redis::cmd("DEL");
        self.query(remove.arg(key), Repeat::Once).await
    }
}

/// Whether a request may be sent again after a lost connection.
#[derive(Clone, Copy)]
enum Repeat {
    Once,
    Never,
}

/// A request to Redis: a command, or a call of a script.
trait Request: Sync {
    fn send<T: FromRedisValue + Send + Sync>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<T>> + Send;
}

impl Request for Cmd {
    async fn send<T: FromRedisValue + Send + Sync>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<T> {
        self.query_async(connection).await
    }
}

impl Request for ScriptInvocation<'_> {
    async fn send<T: FromRedisValue + Send + Sync>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<T> {
        self.invoke_async(connection).await
    }
}

static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
         return 1",
    )
});

/// The new key is random. If it exists, an earlier try of this rename has succeeded.
static RENAME: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('EXISTS', KEYS[1]) == 0 then return redis.call('EXISTS', KEYS[2]) end
         redis.call('RENAME', KEYS[1], KEYS[2])
         redis.call('PEXPIRE', KEYS[2], ARGV[1])
         return 1",
    )
});

fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

fn late() -> SessionError {
    SessionError::unavailable("Redis did not answer in time")
}

/// Describes an error by its kind, since Redis may quote a command that has the id of a session.
fn fault(error: &RedisError) -> SessionError {
    if error.is_io_error() {
        return SessionError::unavailable(format!("Redis cannot be reached: {error}"));
    }
    SessionError::unavailable(format!("Redis refused: {}", error.category()))
}
