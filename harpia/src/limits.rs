//! The limits and timeouts of a server: defaults and fixed values, each with its reason.
//!
//! What a route or an app sets is in `options`. Values that RFC 6455 fixes are next to the code
//! that implements the RFC.

use std::time::Duration;

use crate::options::{Options, Rate, Slow};

/// The limits of one route's connections: its options, else the app's, else these defaults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limits {
    /// 5 s: one round trip and a slow phone. Nobody types a token by hand.
    pub(crate) auth_timeout: Duration,
    /// 64 KiB of payload: above any chat message, below what hurts when thousands of clients send
    /// it.
    pub(crate) max_message: usize,
    /// 2 minutes: three unanswered pings.
    pub(crate) idle_timeout: Option<Duration>,
    /// 30 s: less than the 60 s after which proxies commonly drop an idle connection.
    pub(crate) ping: Option<Duration>,
    /// 30 s without progress: far above the gaps of a phone. A client that reads nothing must not
    /// keep memory that belongs to all.
    pub(crate) write_timeout: Option<Duration>,
    /// 5 min: a message of `max_message` takes seven seconds at 10 KB/s. An unfinished message
    /// takes memory that belongs to all.
    pub(crate) message_timeout: Option<Duration>,
    /// Off: a handler may wait for a user or for another server as long as its program wants.
    pub(crate) handler_timeout: Option<Duration>,
    /// 1 MiB: seconds of a busy room, for a phone that changes its cell.
    pub(crate) backlog: usize,
    /// Close: a client that is told is better off than one that misses messages and is not told.
    pub(crate) slow: Slow,
    /// Off: compression costs time, and compressed lengths can reveal secrets (the BREACH attack).
    ///
    /// The value is the smallest message that is compressed, in bytes. All routes that compress
    /// share it.
    pub(crate) compression: Option<usize>,
    /// 200 messages a second: no typing and no game loop reaches it, and a flood does at once.
    pub(crate) rate: Option<Rate>,
    /// 4 MiB a second, in bursts of up to 8 MiB: above what a page sends, below what hurts others.
    pub(crate) byte_rate: Option<usize>,
    /// 512 KiB a second, in bursts of up to 1 MiB: what a phone can receive, so that one sender
    /// does not make a slow consumer of every receiver.
    pub(crate) publish_rate: Option<usize>,
    /// 1,024: a page that shows a thousand prices. Each topic takes memory and flush time.
    pub(crate) max_topics: usize,
    /// 255 bytes: longer than names that people or programs choose.
    pub(crate) max_topic_len: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            auth_timeout: Duration::from_secs(5),
            max_message: 64 * 1024,
            idle_timeout: Some(Duration::from_secs(120)),
            ping: Some(Duration::from_secs(30)),
            write_timeout: Some(Duration::from_secs(30)),
            message_timeout: Some(Duration::from_secs(5 * 60)),
            handler_timeout: None,
            backlog: 1024 * 1024,
            slow: Slow::Close,
            compression: None,
            rate: Some(Rate::new(200, Duration::from_secs(1))),
            byte_rate: Some(4 * 1024 * 1024),
            publish_rate: Some(512 * 1024),
            max_topics: 1024,
            max_topic_len: 255,
        }
    }
}

impl Limits {
    /// Replaces each limit that the options set.
    pub(crate) fn with(self, options: &Options) -> Self {
        Self {
            auth_timeout: options.auth_timeout.unwrap_or(self.auth_timeout),
            max_message: options.max_message.unwrap_or(self.max_message),
            idle_timeout: options.idle_timeout.unwrap_or(self.idle_timeout),
            ping: options.ping.unwrap_or(self.ping),
            write_timeout: options.write_timeout.unwrap_or(self.write_timeout),
            message_timeout: options.message_timeout.unwrap_or(self.message_timeout),
            handler_timeout: options.handler_timeout.unwrap_or(self.handler_timeout),
            backlog: options.backlog.unwrap_or(self.backlog),
            slow: options.slow.unwrap_or(self.slow),
            compression: options.compression.unwrap_or(self.compression),
            rate: options.rate.unwrap_or(self.rate),
            byte_rate: options.byte_rate.unwrap_or(self.byte_rate),
            publish_rate: options.publish_rate.unwrap_or(self.publish_rate),
            max_topics: options.max_topics.unwrap_or(self.max_topics),
            max_topic_len: options.max_topic_len.unwrap_or(self.max_topic_len),
        }
    }

    /// Returns the longest time for which a client is not read because of a message of the largest
    /// size, and the option that sets the rate.
    pub(crate) fn longest_pause(&self) -> Option<(&'static str, Duration)> {
        let rates = [
            ("byte_rate", self.byte_rate),
            ("publish_rate", self.publish_rate),
        ];
        let pauses = rates.into_iter().filter_map(|(name, rate)| {
            let seconds = self.max_message / rate?.max(1);
            Some((name, Duration::from_secs(seconds as u64)))
        });
        pauses.max_by_key(|(_, pause)| *pause)
    }
}

/// The pause of a client, because of a rate, from which a route's settings are logged as wrong.
///
/// 10 s: nobody waits longer for a chat message or a game.
pub(crate) const LONG_PAUSE: Duration = Duration::from_secs(10);

/// The longest first message of a route with `auth`, in bytes, unless `max_message` is less.
///
/// 16 KiB: a token of 8 KiB in JSON with something beside it. An unauthenticated client holds
/// little memory, however large the route's messages may be.
pub(crate) const MAX_FIRST_MESSAGE: usize = 16 * 1024;

/// The least that a message is charged while it waits, in bytes.
///
/// A small message costs more memory than its bytes.
pub(crate) const MIN_MESSAGE_COST: usize = 512;

/// How many TCP connections a server has at most, unless it is set.
///
/// 100,000: about 130 MB for idle ones. Raising this should be a deliberate choice of the operator.
pub(crate) const MAX_CONNECTIONS: usize = 100_000;

/// How many of the process's open files are not used for connections.
///
/// 256: for the listeners, the log, a session store, and the program's own files. If the process
/// can open less than 1,024 files, it is a quarter of them.
pub(crate) const RESERVED_FILES: usize = 256;

/// How many clients at a time are told that the server is full. Others are dropped without a
/// response.
///
/// 64: each takes an open file of the reserve, for at most a second.
pub(crate) const MAX_REFUSALS: usize = 64;

/// How many silent clients there may always be, even if this is more than a tenth of all.
///
/// 16: a few pages and a health check that connect at the same time.
pub(crate) const MIN_SILENT: usize = 16;

/// How many connections wait to be accepted, for sockets that harpia opens itself.
///
/// 4,096: a few thousand clients that reconnect at once after a restart. The system may have a
/// lower limit.
pub(crate) const LISTEN_BACKLOG: i32 = 4096;

/// How long a shutdown waits for handlers and connections, unless it is set.
///
/// 10 s: long enough for handlers to finish, and shorter than service managers wait before they
/// kill.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The time for `close` handlers after a shutdown has canceled the other handlers, and again for
/// the last writes after that.
///
/// 1 s: these handlers are already late.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// How many bytes the fields of a PROXY header have.
///
/// 4 KiB: the addresses and what proxies add about a TLS client. The protocol allows 64 KiB.
pub(crate) const MAX_PROXY_HEADER: usize = 4 * 1024;

/// How many bytes of records may wait in the hub's log before it counts as full.
///
/// 16 MiB: more would only add delay. A flush round takes all records at once, so the hub holds at
/// most about twice this, and one message more.
pub(crate) const LOG_CAPACITY: usize = 16 * 1024 * 1024;

/// How many bytes the outboxes of all connections hold together, unless it is set.
///
/// 256 MiB: a few hundred full backlogs.
pub(crate) const OUTBOX_BUDGET: usize = 256 * 1024 * 1024;

/// How many bytes of unfinished input all connections hold together.
///
/// 256 MiB: thousands of messages at the default `max_message`.
pub(crate) const INPUT_BUDGET: usize = 256 * 1024 * 1024;

/// Which part of [`INPUT_BUDGET`] is the budget of all unauthenticated connections, in addition.
///
/// A quarter, 64 MiB: thousands of first messages at their limit. It is a budget of its own so that
/// clients that fill it keep out newcomers only, and do not disturb authenticated clients.
pub(crate) const UNAUTHENTICATED_SHARE: usize = 4;

/// How long `open` may go on after a close was requested.
///
/// 15 s: as long as a slow client may take to close. A shutdown uses `shutdown_timeout` instead.
pub(crate) const OPEN_CLOSE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection that closes may make no progress.
///
/// 15 s: the longest gap of a phone that changes its cell. A peer that still reads what it was sent
/// is not cut off, however slow it is.
pub(crate) const CLOSE_STALL: Duration = Duration::from_secs(15);

/// How long a connection may stay open after the kernel has its close frame, whatever the peer
/// sends.
///
/// 30 s: a peer that sends a byte now and then makes progress, but must not hold its place.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a peer may make no progress after both close frames.
///
/// 2 s: a round trip of a slow phone. The server waits, because a reset that is caused by bytes on
/// their way could destroy the close frame.
pub(crate) const PEER_END_TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes of a peer are discarded while its connection closes.
///
/// 64 MiB: an upload of 30 s at 2 MiB/s, so that its sender still reads why it was refused.
pub(crate) const MAX_CLOSE_INPUT: u64 = 64 * 1024 * 1024;

/// How long the `close` handler waits for the last writes.
///
/// 5 s: so that other users learn soon that somebody has left. The writes go on.
pub(crate) const CLOSE_HANDLER_DELAY: Duration = Duration::from_secs(5);

/// How many lines of one kind are logged in a second.
///
/// 10: enough to see what happens, too few to fill a disk.
pub(crate) const LOG_LINES_PER_SECOND: u64 = 10;

/// The longest token, in bytes.
///
/// 8 KiB: browsers send no cookie above 4 KiB, and hyper reads no longer head than its buffer. As a
/// message, a token could otherwise be as long as `max_message`.
#[cfg(feature = "jwt")]
pub(crate) const MAX_TOKEN: usize = 8 * 1024;

/// How far the clock of a token's issuer may differ, unless it is set.
///
/// Zero: a connection closes at the time that the token names. Some deployments have clocks that
/// differ, and set [`Jwt::leeway`](crate::auth::Jwt::leeway).
#[cfg(feature = "jwt")]
pub(crate) const LEEWAY: Duration = Duration::ZERO;

/// The most that [`Jwt::leeway`](crate::auth::Jwt::leeway) can be set to.
///
/// 1 hour: clocks that differ by more are broken.
#[cfg(feature = "jwt")]
pub(crate) const MAX_LEEWAY: Duration = Duration::from_secs(60 * 60);

/// How long a session lives without being used, unless it is set.
///
/// 24 hours: daily visitors stay logged in, and a stolen session that is not used ends within a
/// day.
#[cfg(feature = "session")]
pub(crate) const SESSION_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a session lives in all, unless it is set.
///
/// 30 days: visitors log in once a month, and a stolen session that is kept alive ends.
#[cfg(feature = "session")]
pub(crate) const SESSION_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The longest time to live that a session can be set to.
///
/// 400 days: longer than a browser keeps a cookie, and far from the range limits of clocks and
/// stores.
#[cfg(feature = "session")]
pub(crate) const MAX_SESSION_TTL: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How many sessions a [`MemoryStore`](crate::session::MemoryStore) holds, unless it is set.
///
/// 100,000: as many as there may be TCP connections.
#[cfg(feature = "session")]
pub(crate) const MAX_SESSIONS: usize = 100_000;

/// How many bytes a [`MemoryStore`](crate::session::MemoryStore) holds, unless it is set.
///
/// 64 MiB: about 670 bytes for each session, of which the table takes 256.
#[cfg(feature = "session")]
pub(crate) const MAX_SESSION_BYTES: usize = 64 * 1024 * 1024;

/// How many times a change of a session is tried while other changes come first.
///
/// 1,000: each failed try is another change that succeeded, so only a flood fails this often.
#[cfg(feature = "session")]
pub(crate) const MAX_SESSION_TRIES: usize = 1_000;

/// How long an operation in Redis may take, unless it is set.
///
/// 2 s: a handshake waits this long when Redis is down.
#[cfg(feature = "redis")]
pub(crate) const REDIS_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest body of a login, in bytes.
///
/// 8 KiB: names and passwords are short.
#[cfg(feature = "session")]
pub(crate) const MAX_LOGIN: usize = 8 * 1024;

/// How long the body of a login may take to arrive.
///
/// 10 s: a slow sender occupies a connection and has no session yet.
#[cfg(feature = "session")]
pub(crate) const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes wait for the task of a connection whose stream is not a socket, such as TLS.
///
/// 64 KiB: four TLS records, and enough to write while the task is woken. More waits in the outbox.
pub(crate) const WRITE_BUFFER: usize = 64 * 1024;

/// How long the opening of a connection may take, unless it is set: the PROXY header, the TLS
/// handshake, the request head, the connection's data, and the 101.
///
/// 10 s: several round trips of a slow phone, and a slow database. A client that takes longer is an
/// attack or broken.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long no byte of an unfinished message may come.
///
/// 30 s, like the default of `write_timeout`: far above the gaps of a phone.
pub(crate) const MESSAGE_STALL: Duration = Duration::from_secs(30);

/// The size of a request head, in bytes.
///
/// 32 KiB: room for large cookies, and four times what common proxies pass.
pub(crate) const MAX_HEAD: usize = 32 * 1024;

/// The number of headers in a request head. 100 is hyper's limit, too.
pub(crate) const MAX_HEADERS: usize = 100;

/// How many bytes of a client are kept while its connection's data is made.
///
/// 64 KiB: one message of the usual size limit. A client that follows the RFC sends nothing before
/// the 101.
pub(crate) const MAX_EARLY_BYTES: usize = 64 * 1024;

/// How long a client is read after its last HTTP response, so that no reset destroys the response.
///
/// 1 s: a round trip of a slow phone.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// How many bytes are read and discarded after a last HTTP response.
///
/// 1 MiB: more than a client sends without reading its response.
pub(crate) const MAX_LINGER_BYTES: usize = 1024 * 1024;

/// How long a response or a request body of the fallback may make no progress.
///
/// 30 s: far above the gaps of a slow phone. A client that reads or sends nothing holds a place of
/// `max_connections`.
pub(crate) const HTTP_PROGRESS: Duration = Duration::from_secs(30);

#[cfg(all(test, feature = "jwt", feature = "session", feature = "redis"))]
mod tests;
