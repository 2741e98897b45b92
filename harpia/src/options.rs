//! What a user sets: the options of a route, and the types of their values.
//!
//! The defaults, with the reason for each, are in `limits.rs`. [`App`](crate::App) has a method for
//! each option, which sets it for all routes that do not set it themselves.

use std::fmt;
use std::time::Duration;

/// The audience of a route's automatic broadcast.
///
/// ```
/// use harpia::{Options, Scope};
///
/// const OPTIONS: Options = Options::new().broadcast(Scope::Off);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scope {
    /// Every other active connection of the server. This is the default.
    #[default]
    Server,
    /// Every other active connection of the same route, whatever its path parameters.
    ///
    /// On `/rooms/{room}` that means all rooms. To reach one room, use [`Off`](Self::Off) with
    /// [`Socket::subscribe`](crate::Socket::subscribe) and
    /// [`Socket::publish`](crate::Socket::publish).
    Route,
    /// Nobody: only the `message` handler gets a message.
    Off,
}

/// What happens to a slow consumer: a peer that reads too slowly for its `backlog`.
///
/// ```
/// use harpia::{App, Slow};
///
/// let app = App::new().slow(Slow::Skip);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Slow {
    /// The connection is closed with 1013, so that a peer either gets every message or learns that
    /// it did not. This is the default.
    #[default]
    Close,
    /// The connection stays open and skips whole messages until its backlog is empty.
    Skip,
}

/// How many messages a peer may send in a period.
///
/// ```
/// use std::time::Duration;
/// use harpia::{App, Rate};
///
/// let rate = Rate::new(50, Duration::from_secs(1));
/// assert_eq!(rate.to_string(), "50/1s");
/// let app = App::new().rate(rate);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    pub(crate) messages: u32,
    pub(crate) period: Duration,
}

impl Rate {
    /// Allows this many messages per period on average, and bursts of the same number.
    ///
    /// A pause saves up at most one period's worth of messages.
    ///
    /// # Panics
    ///
    /// If either argument is zero. To close the connection of a client that sends a message, return
    /// an error from `message`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::{Options, Rate};
    ///
    /// const SLOW: Rate = Rate::new(10, Duration::from_secs(60));
    /// const OPTIONS: Options = Options::new().rate(Some(SLOW));
    /// ```
    pub const fn new(messages: u32, period: Duration) -> Self {
        assert!(messages > 0, "a rate needs at least one message");
        assert!(!period.is_zero(), "a rate needs a period");
        Self { messages, period }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.messages, self.period)
    }
}

/// Which pages may open a connection from a browser.
///
/// The rule applies to browsers only. Most other programs send no `Origin` header, and a request
/// without one may always connect.
///
/// A list that is known at compile time is [`Only`](Self::Only), which the option `origins` of a
/// route sets. A list that is read at run time converts or is collected into
/// [`Listed`](Self::Listed):
///
/// ```
/// use harpia::{App, Origins};
///
/// let app = App::new().origins(["https://example.com"]);
///
/// let list = "https://example.com,https://staging.example.com";
/// let origins: Origins = list.split(',').collect();
/// let app = App::new().origins(origins);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Origins {
    /// Pages of the same host and port as the request. This is the default.
    ///
    /// If `X-Forwarded-Proto` or `Forwarded` says that the request came over TLS, the page must
    /// have come over TLS too. A proxy that terminates TLS and sends neither header also lets pages
    /// of `http://` connect.
    ///
    /// DNS rebinding passes this rule: an attacker points a name of their own at this server, and
    /// then their page and the request agree. Only a list of origins prevents that.
    #[default]
    Same,
    /// Pages of exactly these origins, in a list that is known at compile time.
    ///
    /// An origin is a scheme, a host, and a port unless it is the scheme's default, as in
    /// `https://example.com`. Apps and browser extensions have schemes of their own, as in
    /// `capacitor://localhost`. The server's own origin is allowed only if it is in the list.
    ///
    /// `null` is the origin of local files and of sandboxed frames, which any page can open. So a
    /// list with `null` removes cookies and Basic credentials from the request, like
    /// [`Any`](Self::Any).
    Only(&'static [&'static str]),
    /// Pages of exactly these origins, in a list that is made at run time. See
    /// [`Only`](Self::Only) for what an origin is.
    Listed(Vec<String>),
    /// Pages of any origin. Cookies and Basic credentials are removed from the request, since any
    /// page could act with those of its visitors.
    Any,
}

impl Origins {
    /// Returns whether a page of any origin may connect: any page can open a sandboxed frame, whose
    /// origin is `null`.
    pub(crate) fn allow_any_page(&self) -> bool {
        *self == Self::Any || self.list().any(|origin| origin == "null")
    }

    /// Iterates over the list, which is empty for [`Same`](Self::Same) and [`Any`](Self::Any).
    pub(crate) fn list(&self) -> impl Iterator<Item = &str> {
        let (fixed, listed): (&[&str], &[String]) = match self {
            Self::Only(list) => (list, &[]),
            Self::Listed(list) => (&[], list),
            Self::Same | Self::Any => (&[], &[]),
        };
        fixed
            .iter()
            .copied()
            .chain(listed.iter().map(String::as_str))
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Origins {
    fn from(origins: [S; N]) -> Self {
        origins.into_iter().collect()
    }
}

impl<S: Into<String>> FromIterator<S> for Origins {
    fn from_iter<I: IntoIterator<Item = S>>(origins: I) -> Self {
        Self::Listed(origins.into_iter().map(Into::into).collect())
    }
}

/// The options of one route. The app decides those that are not set.
///
/// `#[ws_route]` generates this from its attribute. A [`Route`](crate::Route) written by hand sets
/// [`Route::OPTIONS`](crate::Route::OPTIONS):
///
/// ```
/// use std::time::Duration;
/// use harpia::{Options, Origins, Rate, Scope, Slow};
///
/// const OPTIONS: Options = Options::new()
///     .broadcast(Scope::Route)
///     .auth_timeout(Duration::from_secs(3))
///     .max_message(16 * 1024)                    // bytes
///     .idle_timeout(None)                        // never
///     .ping(Some(Duration::from_secs(20)))
///     .backlog(256 * 1024)                       // bytes
///     .slow(Slow::Skip)
///     .compression(Some(1024))                   // from this many bytes on
///     .rate(Some(Rate::new(20, Duration::from_secs(1))))
///     .origins(Origins::Only(&["https://example.com"]))
///     .protocols(&["chat.v1"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) broadcast: Option<Scope>,
    pub(crate) auth_timeout: Option<Duration>,
    pub(crate) max_message: Option<usize>,
    pub(crate) idle_timeout: Option<Option<Duration>>,
    pub(crate) ping: Option<Option<Duration>>,
    pub(crate) write_timeout: Option<Option<Duration>>,
    pub(crate) message_timeout: Option<Option<Duration>>,
    pub(crate) handler_timeout: Option<Option<Duration>>,
    pub(crate) backlog: Option<usize>,
    pub(crate) slow: Option<Slow>,
    pub(crate) compression: Option<Option<usize>>,
    pub(crate) rate: Option<Option<Rate>>,
    pub(crate) byte_rate: Option<Option<usize>>,
    pub(crate) publish_rate: Option<Option<usize>>,
    pub(crate) max_topics: Option<usize>,
    pub(crate) max_topic_len: Option<usize>,
    pub(crate) origins: Option<Origins>,
    pub(crate) protocols: Option<&'static [&'static str]>,
}

impl Options {
    /// Leaves every option to the app.
    pub const fn new() -> Self {
        Self {
            broadcast: None,
            auth_timeout: None,
            max_message: None,
            idle_timeout: None,
            ping: None,
            write_timeout: None,
            message_timeout: None,
            handler_timeout: None,
            backlog: None,
            slow: None,
            compression: None,
            rate: None,
            byte_rate: None,
            publish_rate: None,
            max_topics: None,
            max_topic_len: None,
            origins: None,
            protocols: None,
        }
    }

    /// Sets who else gets a message after its handler has returned.
    ///
    /// ```
    /// # use harpia::{Options, Scope};
    /// const OPTIONS: Options = Options::new().broadcast(Scope::Route);
    /// ```
    pub const fn broadcast(mut self, scope: Scope) -> Self {
        self.broadcast = Some(scope);
        self
    }

    /// Bounds how long authentication may take.
    ///
    /// The time covers the wait for the first message and the call of `auth`. When it is over, the
    /// connection is closed with 1008 "Auth Timeout".
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().auth_timeout(Duration::from_secs(3));
    /// ```
    pub const fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.auth_timeout = Some(timeout);
        self
    }

    /// Bounds one message, in bytes of payload. A larger message closes with 1009.
    ///
    /// ```
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().max_message(4 * 1024);
    /// ```
    pub const fn max_message(mut self, bytes: usize) -> Self {
        self.max_message = Some(bytes);
        self
    }

    /// Closes with 1001 when the peer has neither sent a byte nor read what it was sent for this
    /// time.
    ///
    /// `None`: never.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().idle_timeout(Some(Duration::from_secs(60)));
    /// ```
    pub const fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sends a ping when nothing has come from the peer for this time. `None`: never.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().ping(Some(Duration::from_secs(15)));
    /// ```
    pub const fn ping(mut self, interval: Option<Duration>) -> Self {
        self.ping = Some(interval);
        self
    }

    /// Sets the time after which a client that reads nothing of what waits for it is closed. `None`
    /// disables the timeout.
    pub const fn write_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.write_timeout = Some(timeout);
        self
    }

    /// Sets the time in which a client must complete a message that it has begun. `None` disables
    /// the timeout.
    pub const fn message_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.message_timeout = Some(timeout);
        self
    }

    /// Sets the time after which an async handler that has not returned is dropped. `None` disables
    /// the timeout.
    pub const fn handler_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.handler_timeout = Some(timeout);
        self
    }

    /// Limits the bytes that wait to be sent to one client.
    ///
    /// ```
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().backlog(64 * 1024);
    /// ```
    pub const fn backlog(mut self, bytes: usize) -> Self {
        self.backlog = Some(bytes);
        self
    }

    /// Sets what happens when the backlog is full.
    ///
    /// ```
    /// # use harpia::{Options, Slow};
    /// const OPTIONS: Options = Options::new().slow(Slow::Skip);
    /// ```
    pub const fn slow(mut self, slow: Slow) -> Self {
        self.slow = Some(slow);
        self
    }

    /// Compresses messages of at least this many bytes, for peers that support it.
    ///
    /// `None`: none.
    ///
    /// One server has one size, the smallest of all its routes: see
    /// [`App::compression`](crate::App::compression).
    ///
    /// ```
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().compression(Some(1024));
    /// ```
    pub const fn compression(mut self, from: Option<usize>) -> Self {
        self.compression = Some(from);
        self
    }

    /// Bounds how often a peer may send.
    ///
    /// More messages close with 1008. `None`: no bound.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use harpia::{Options, Rate};
    /// const RATE: Rate = Rate::new(20, Duration::from_secs(1));
    /// const OPTIONS: Options = Options::new().rate(Some(RATE));
    /// ```
    pub const fn rate(mut self, rate: Option<Rate>) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Sets the bytes per second that a connection may send. `None` disables the limit.
    pub const fn byte_rate(mut self, bytes: Option<usize>) -> Self {
        self.byte_rate = Some(bytes);
        self
    }

    /// Sets the bytes per second that a connection may publish. `None` disables the limit.
    pub const fn publish_rate(mut self, bytes: Option<usize>) -> Self {
        self.publish_rate = Some(bytes);
        self
    }

    /// Sets the number of topics to which a connection is subscribed at most.
    pub const fn max_topics(mut self, topics: usize) -> Self {
        self.max_topics = Some(topics);
        self
    }

    /// Sets the length in bytes of the longest topic name that a connection can subscribe to.
    pub const fn max_topic_len(mut self, bytes: usize) -> Self {
        self.max_topic_len = Some(bytes);
        self
    }

    /// Sets which pages may connect. A list is complete: it replaces the app's.
    ///
    /// ```
    /// # use harpia::{Options, Origins};
    /// const OPTIONS: Options = Options::new().origins(Origins::Only(&["https://example.com"]));
    /// ```
    pub const fn origins(mut self, origins: Origins) -> Self {
        let former = self.origins.replace(origins);
        // A `const fn` cannot drop. This leaks only if a list made at run time is set and then
        // replaced.
        std::mem::forget(former);
        self
    }

    /// Names the subprotocols that the route speaks, best first.
    ///
    /// ```
    /// # use harpia::Options;
    /// const OPTIONS: Options = Options::new().protocols(&["chat.v2", "chat.v1"]);
    /// ```
    pub const fn protocols(mut self, protocols: &'static [&'static str]) -> Self {
        self.protocols = Some(protocols);
        self
    }

    /// Returns whether the route itself lets pages of any origin connect.
    ///
    /// Consumes the options, since the caller is a `const`, which cannot drop them.
    pub(crate) const fn allows_any_page(self) -> bool {
        let is_any = match self.origins {
            Some(Origins::Any) => true,
            Some(Origins::Only(list)) => has_null(list),
            _ => false,
        };
        std::mem::forget(self);
        is_any
    }
}

/// Returns whether a list of origins has `null`, which any page can make its own.
const fn has_null(list: &[&str]) -> bool {
    let mut at = 0;
    while at < list.len() {
        if matches!(list[at].as_bytes(), b"null") {
            return true;
        }
        at += 1;
    }
    false
}
