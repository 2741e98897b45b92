//! Every limit and timeout: what it bounds, its default, and the reason for that default.
//!
//! [`Options`] is what one route says in its attribute; [`Limits`] is what holds for a
//! connection in the end: the route's word, else the app's, else the default.

use std::time::Duration;

/// Says whom the automatic broadcast of a route reaches.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scope {
    /// Every other active connection of the server.
    #[default]
    Server,
    /// Every other active connection of the same route, whatever its path parameters.
    ///
    /// On `/rooms/{room}` that is all rooms. For one room use
    /// [`Socket::subscribe`](crate::Socket::subscribe) and
    /// [`Socket::publish`](crate::Socket::publish), with [`Off`](Self::Off).
    Route,
    /// Nobody: messages are only handed to the `message` handler.
    Off,
}

/// Says what happens to a peer that reads too slowly for its backlog.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Slow {
    /// It is closed with 1013: a peer that misses nothing or is told so.
    #[default]
    Close,
    /// Whole messages are left out for it until its backlog is empty.
    Skip,
}

/// How many messages a peer may send in a period.
///
/// ```
/// use std::time::Duration;
/// use harpia::Rate;
///
/// let rate = Rate::new(50, Duration::from_secs(1));
/// assert_eq!(rate.to_string(), "50/1s");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    pub(crate) messages: u32,
    pub(crate) period: Duration,
}

impl Rate {
    /// Allows this many messages in any such period; a pause saves up at most one period's worth.
    ///
    /// # Panics
    ///
    /// If either is zero: a connection that may say nothing is `max_message = 0`.
    pub const fn new(messages: u32, period: Duration) -> Self {
        assert!(messages > 0, "a rate needs at least one message");
        assert!(!period.is_zero(), "a rate needs a period");
        Self { messages, period }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{:?}", self.messages, self.period)
    }
}

/// Says which pages may open a connection from a browser.
///
/// Programs that are not browsers send no `Origin` header and are not held to it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Origins {
    /// Pages of the host and port that the request was sent to, and over TLS where
    /// `X-Forwarded-Proto` or `Forwarded` says that the request came so.
    ///
    /// Behind a proxy that ends TLS and says nothing of it, pages of `http://` connect too. And
    /// whoever makes a name of their own lead to this server (DNS rebinding) is of the same host
    /// as its pages: only a list holds that off.
    #[default]
    Same,
    /// Pages of exactly these origins: scheme, host, and a port where it is not the scheme's own,
    /// as in `https://example.com`. The server's own is among them only if it is named.
    Only(&'static [&'static str]),
    /// Pages of any origin: only for endpoints that do not rely on cookies.
    Any,
}

/// Says which pages may open a connection from a browser, for a whole app.
///
/// As [`Origins`], which a route names as it compiles; here the list may be made as the program
/// runs.
///
/// ```
/// use harpia::{App, OriginPolicy};
///
/// let list = "https://example.com,https://staging.example.com";
/// let policy: OriginPolicy = list.split(',').map(String::from).collect();
/// let app = App::new().origins(policy);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum OriginPolicy {
    /// Pages of the host that the request was sent to: see [`Origins::Same`].
    #[default]
    Same,
    /// Pages of exactly these origins; the server's own only if it is named.
    Only(Vec<String>),
    /// Pages of any origin.
    Any,
}

impl From<Origins> for OriginPolicy {
    fn from(origins: Origins) -> Self {
        match origins {
            Origins::Same => Self::Same,
            Origins::Only(list) => list.iter().copied().collect(),
            Origins::Any => Self::Any,
        }
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for OriginPolicy {
    fn from(origins: [S; N]) -> Self {
        origins.into_iter().collect()
    }
}

impl<S: Into<String>> FromIterator<S> for OriginPolicy {
    fn from_iter<I: IntoIterator<Item = S>>(origins: I) -> Self {
        Self::Only(origins.into_iter().map(Into::into).collect())
    }
}

/// The options of one route; what is left out is the app's default.
///
/// `#[ws_route]` writes this from its attribute:
///
/// ```
/// use harpia::{Options, Scope};
///
/// const OPTIONS: Options = Options::new().broadcast(Scope::Route).max_message(64 * 1024);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub(crate) broadcast: Option<Scope>,
    pub(crate) auth_timeout: Option<Duration>,
    pub(crate) max_message: Option<usize>,
    pub(crate) idle_timeout: Option<Option<Duration>>,
    pub(crate) ping: Option<Option<Duration>>,
    pub(crate) backlog: Option<usize>,
    pub(crate) slow: Option<Slow>,
    pub(crate) compression: Option<Option<usize>>,
    pub(crate) rate: Option<Option<Rate>>,
    pub(crate) origins: Option<Origins>,
    pub(crate) protocols: Option<&'static [&'static str]>,
}

impl Options {
    /// Leaves everything to the app.
    pub const fn new() -> Self {
        Self {
            broadcast: None,
            auth_timeout: None,
            max_message: None,
            idle_timeout: None,
            ping: None,
            backlog: None,
            slow: None,
            compression: None,
            rate: None,
            origins: None,
            protocols: None,
        }
    }

    /// Says whom a message reaches after its handler.
    pub const fn broadcast(mut self, scope: Scope) -> Self {
        self.broadcast = Some(scope);
        self
    }

    /// Bounds how long a peer may take to be let in: to send the message that `auth` waits for, and
    /// `auth` to return. Then it is closed with 1008 "Auth Timeout".
    pub const fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.auth_timeout = Some(timeout);
        self
    }

    /// Bounds one message, in bytes of payload; a larger one closes with 1009.
    pub const fn max_message(mut self, bytes: usize) -> Self {
        self.max_message = Some(bytes);
        self
    }

    /// Closes with 1001 a peer from which nothing at all has come for so long; `None`: never.
    pub const fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sends a ping when nothing has come for so long; `None`: never.
    pub const fn ping(mut self, interval: Option<Duration>) -> Self {
        self.ping = Some(interval);
        self
    }

    /// Bounds what may wait for a peer that reads slowly, in bytes.
    pub const fn backlog(mut self, bytes: usize) -> Self {
        self.backlog = Some(bytes);
        self
    }

    /// Says what happens when the backlog is full.
    pub const fn slow(mut self, slow: Slow) -> Self {
        self.slow = Some(slow);
        self
    }

    /// Compresses messages of at least this many bytes for peers that can read them; `None`: none.
    /// Of several sizes on one server, the smallest holds: see
    /// [`App::compression`](crate::App::compression).
    pub const fn compression(mut self, from: Option<usize>) -> Self {
        self.compression = Some(from);
        self
    }

    /// Bounds how often a peer may send; more closes with 1008. `None`: no bound.
    pub const fn rate(mut self, rate: Option<Rate>) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Says which pages may connect; a list is all of them.
    pub const fn origins(mut self, origins: Origins) -> Self {
        self.origins = Some(origins);
        self
    }

    /// Names the subprotocols spoken here, best first.
    pub const fn protocols(mut self, protocols: &'static [&'static str]) -> Self {
        self.protocols = Some(protocols);
        self
    }

    /// Says whether the route itself lets pages of any origin connect.
    pub(crate) const fn is_any_origin(&self) -> bool {
        matches!(self.origins, Some(Origins::Any))
    }
}

/// The longest first message where a route has `auth`: 16 KiB, a token of 8 KiB in JSON with something
/// beside it. Who is not in yet holds little, however long the route's messages may be.
pub(crate) const MAX_FIRST_MESSAGE: usize = 16 * 1024;

/// What holds for the connections of one route, all defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limits {
    /// 5 seconds: one round trip and a slow phone; nobody types a token by hand.
    pub(crate) auth_timeout: Duration,
    /// 64 KiB: above any chat message, below what hurts by the thousand.
    pub(crate) max_message: usize,
    /// Two minutes: four unanswered pings.
    pub(crate) idle_timeout: Option<Duration>,
    /// 30 seconds: under the 60 that proxies commonly give an idle connection.
    pub(crate) ping: Option<Duration>,
    /// 1 MiB: seconds of a busy room, for a phone that changes its cell.
    pub(crate) backlog: usize,
    pub(crate) slow: Slow,
    /// Off: it costs time, and can tell of secrets (the BREACH attack). From how many bytes on,
    /// which is one size for all routes that compress.
    pub(crate) compression: Option<usize>,
    /// 200 a second: no hand and no game loop reaches it; a flood does at once.
    pub(crate) rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            auth_timeout: Duration::from_secs(5),
            max_message: 64 * 1024,
            idle_timeout: Some(Duration::from_secs(120)),
            ping: Some(Duration::from_secs(30)),
            backlog: 1024 * 1024,
            slow: Slow::Close,
            compression: None,
            rate: Some(Rate::new(200, Duration::from_secs(1))),
        }
    }
}

impl Limits {
    /// Lays a route's or an app's options over these.
    pub(crate) fn with(self, options: &Options) -> Self {
        Self {
            auth_timeout: options.auth_timeout.unwrap_or(self.auth_timeout),
            max_message: options.max_message.unwrap_or(self.max_message),
            idle_timeout: options.idle_timeout.unwrap_or(self.idle_timeout),
            ping: options.ping.unwrap_or(self.ping),
            backlog: options.backlog.unwrap_or(self.backlog),
            slow: options.slow.unwrap_or(self.slow),
            compression: options.compression.unwrap_or(self.compression),
            rate: options.rate.unwrap_or(self.rate),
        }
    }
}
