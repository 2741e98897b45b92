//! Sessions in Redis: one shared connection, atomic scripts, and an end to every wait.
//!
//! The connection is made when it is needed and forgotten when it fails, so that the next operation
//! after Redis has come back finds it. (redis' own `ConnectionManager` would hand out the outcome of
//! its last attempt, however long ago that was.)

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

/// Keeps sessions in Redis 6.2 or newer, or Valkey: they serve every node. Feature `redis`.
///
/// Every operation ends within its [`timeout`](Self::timeout), connecting included. A Redis that is
/// down is [`SessionError::Unavailable`], which closes a connection with 1013 "Try Again Later"; as
/// soon as it is back, so are the sessions it has kept. One server, or one with replicas; not a
/// cluster, whose nodes cannot move an entry from key to key.
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
/// For `rediss://`, TLS, add `redis` to your own dependencies with its feature `tokio-rustls-comp`.
pub struct RedisStore {
    client: Client,
    timeout: Duration,
    /// What all operations share, with its number. Held to look and to set, never across an await.
    connection: Mutex<Option<Numbered>>,
    /// Held while one operation connects for all: many at once would only be more load on a server
    /// that is starting. Each waits for its turn no longer than its own timeout.
    connecting: tokio::sync::Mutex<u64>,
}

/// Its driver is a task of redis' own, which ends when the last clone is dropped.
type Numbered = (u64, MultiplexedConnection);

impl RedisStore {
    /// Connects, and makes sure that Redis answers.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the URL is none, or Redis does not answer within 2 seconds.
    pub async fn connect(url: &str) -> Result<Self, SessionError> {
        let store = Self {
            client: Client::open(url).map_err(|error| fault(&error))?,
            timeout: REDIS_TIMEOUT,
            connection: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        };
        let () = store.ask(&redis::cmd("PING"), Repeat::Once).await?;
        Ok(store)
    }

    /// Sets how long an operation may take: 2 seconds unless set. A handshake waits that long for a
    /// Redis that is down.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks within the timeout. Where the connection turns out to be lost, what may be repeated is
    /// asked once more on a new one.
    async fn ask<T: FromRedisValue + Send + Sync>(
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
            // Also when it is late: where a host is gone, the system would notice only in minutes.
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
        // Our own timeouts hold for all of it.
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

    /// Forgets a connection, unless another has forgotten it already.
    fn forget(&self, number: u64) {
        self.slot().take_if(|(current, _)| *current == number);
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Numbered>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Neither address nor password.
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
        // If only the answer was lost, the second finds the key taken: an error, as without it.
        let set: Option<()> = self.ask(&set, Repeat::Once).await?;
        Ok(set.is_some())
    }

    async fn load(&self, key: &str, ttl: Duration) -> Result<Option<Bytes>, SessionError> {
        let mut get = redis::cmd("GETEX");
        get.arg(key).arg("PX").arg(milliseconds(ttl));
        let value: Option<Vec<u8>> = self.ask(&get, Repeat::Once).await?;
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
        // Not repeated: if only the answer was lost, the change would be made twice.
        self.ask(&replace, Repeat::Never).await
    }

    async fn rename(&self, from: &str, to: &str, ttl: Duration) -> Result<bool, SessionError> {
        let mut rename = RENAME.key(from);
        rename.key(to).arg(milliseconds(ttl));
        self.ask(&rename, Repeat::Once).await
    }

    async fn remove(&self, key: &str) -> Result<(), SessionError> {
        let mut remove = redis::cmd("DEL");
        self.ask(remove.arg(key), Repeat::Once).await
    }
}

/// Whether a request may reach Redis twice.
#[derive(Clone, Copy)]
enum Repeat {
    Once,
    Never,
}

/// What can be sent: a command, or the call of a script.
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

/// The new key is random: if it is there, this rename has been here before and may be repeated.
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

/// What Redis itself says may quote the command, and in it a session's id: only the kind is kept.
fn fault(error: &RedisError) -> SessionError {
    if error.is_io_error() {
        return SessionError::unavailable(format!("Redis cannot be reached: {error}"));
    }
    SessionError::unavailable(format!("Redis refused: {}", error.category()))
}
