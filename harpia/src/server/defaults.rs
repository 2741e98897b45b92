//! The app's defaults of the route options: one method for each key of `#[ws_route]`.

use std::time::Duration;

use crate::options::{Origins, Rate, Scope, Slow};

use super::app::App;

/// # Defaults of the route options
///
/// A route that sets an option in its attribute does not use the app's value.
impl App {
    /// Sets the audience of a route's automatic broadcast. Default: the whole server.
    ///
    /// [`Scope::Route`] is all connections of a route, not one room of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::{App, Scope};
    ///
    /// let app = App::new().broadcast(Scope::Off);
    /// ```
    pub fn broadcast(mut self, scope: Scope) -> Self {
        self.defaults.options = self.defaults.options.broadcast(scope);
        self
    }

    /// Limits the time for a client to authenticate. Default: 5 seconds.
    ///
    /// Applies to routes with `auth`, and counts from the upgrade until `auth` has returned. When
    /// the time is over, the connection is closed with 1008 "Auth Timeout". Accurate to about half
    /// a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().auth_timeout(Duration::from_secs(10));
    /// ```
    pub fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.defaults.options = self.defaults.options.auth_timeout(timeout);
        self
    }

    /// Limits the payload of one message, in bytes. Default: 64 KiB.
    ///
    /// A larger message closes the connection with 1009.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().max_message(256 * 1024);
    /// ```
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.defaults.options = self.defaults.options.max_message(bytes);
        self
    }

    /// Sets the silence after which a client is closed with 1001. Default: 2 minutes.
    ///
    /// Silence means that no byte comes from the client, and that the client reads nothing of what
    /// the server sent. An answered ping ends the silence, and so does a slow download. While a
    /// handler waits, the time stands still. `None` disables the timeout. Accurate to about half a
    /// second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().idle_timeout(Duration::from_secs(300));
    /// ```
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.defaults.options = self.defaults.options.idle_timeout(timeout.into());
        self
    }

    /// Sets the silence after which a client is sent a ping. Default: 30 seconds.
    ///
    /// Any byte from the client ends the silence. While a handler of the connection waits, no ping
    /// is sent. `None` disables pings. Accurate to about half a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().ping(Duration::from_secs(20));
    /// ```
    pub fn ping(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.defaults.options = self.defaults.options.ping(interval.into());
        self
    }

    /// Sets the time in which a client must read something of its backlog. Default: 30 seconds.
    ///
    /// A client that reads nothing for so long while it has a backlog is closed with 1013 "Slow
    /// Consumer", even on a route with [`Slow::Skip`](crate::Slow::Skip), and even if it sends.
    /// Otherwise a few clients could hold the memory for the backlogs of all. A slow client that
    /// still reads 10 KB/s or more is not affected. `None` disables the timeout. Accurate to about
    /// half a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().write_timeout(Duration::from_secs(10));
    /// ```
    pub fn write_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.defaults.options = self.defaults.options.write_timeout(timeout.into());
        self
    }

    /// Sets the time in which a client must complete a message that it has begun. Default: 5
    /// minutes.
    ///
    /// A client that takes longer, or that sends no byte of the message for 30 seconds, is closed
    /// with 1008 "Message Unfinished". A control frame between the fragments is not a byte of the
    /// message. The clock stands still while harpia does not read the client. Raise the timeout on
    /// routes for large uploads. `None` disables it, but not the limit of 30 seconds. Accurate to
    /// about half a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().message_timeout(Duration::from_secs(60));
    /// ```
    pub fn message_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.defaults.options = self.defaults.options.message_timeout(timeout.into());
        self
    }

    /// Sets the time after which an `async` handler that has not returned is dropped. Default: off.
    ///
    /// The handler then counts as failed. An `open` or `message` closes the connection with 1011,
    /// and the `error` handler is called. For `close`, `drain` and `error`, there is only a log
    /// line. `auth` has `auth_timeout` instead, and `connect` has
    /// [`handshake_timeout`](crate::App::handshake_timeout). A handler that blocks its thread
    /// cannot be dropped. Accurate to about half a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().handler_timeout(Duration::from_secs(20));
    /// ```
    pub fn handler_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.defaults.options = self.defaults.options.handler_timeout(timeout.into());
        self
    }

    /// Limits the bytes that wait for one slow client. Default: 1 MiB.
    ///
    /// The backlog can exceed this by one message, or by the messages that are delivered in one
    /// write. The send buffer of the kernel (`tcp_wmem`) is not included.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().backlog(4 * 1024 * 1024);
    /// ```
    pub fn backlog(mut self, bytes: usize) -> Self {
        self.defaults.options = self.defaults.options.backlog(bytes);
        self
    }

    /// Sets what happens to a slow consumer. Default: it is closed with 1013.
    ///
    /// A client is a slow consumer when its [`backlog`](Self::backlog) is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::{App, Slow};
    ///
    /// let app = App::new().slow(Slow::Skip);
    /// ```
    pub fn slow(mut self, slow: Slow) -> Self {
        self.defaults.options = self.defaults.options.slow(slow);
        self
    }

    /// Compresses messages of at least this many bytes. Default: `None`, no compression.
    ///
    /// Uses permessage-deflate (RFC 7692), for clients that support it.
    ///
    /// A route's own `compression` decides whether its connections compress. The size is the same
    /// for the whole server, for sends and broadcasts, so that a broadcast is compressed once for
    /// all recipients. The server uses the smallest size of all routes, from a route's own
    /// attribute (`compression = on` is 1 KiB) or from here.
    ///
    /// Compressing a message takes microseconds, and encoding it takes nanoseconds
    /// (`benches/micro.rs`). Compression saves most of the bytes of JSON. It pays on slow networks.
    ///
    /// harpia compresses each message on its own, and asks clients to do so too
    /// (`client_no_context_takeover`). Browsers and most libraries follow. Netty refuses such an
    /// answer unless its handshaker is created with `allowClientNoContext`. Perl's
    /// `Mojo::UserAgent` 9.31 ignores it, and its second compressed message closes with 1007.
    ///
    /// Do not compress messages that hold a secret next to text from an attacker: the compressed
    /// length can reveal the secret (the BREACH attack).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().compression(1024);
    /// ```
    pub fn compression(mut self, from: impl Into<Option<usize>>) -> Self {
        self.defaults.options = self.defaults.options.compression(from.into());
        self
    }

    /// Limits how many messages a client may send. Default: 200 per second.
    ///
    /// A client can send a burst as large as the number of messages. After that, the allowance
    /// refills evenly: with 20 per 5 seconds, it allows one message every 250 ms. A client that
    /// exceeds the rate is closed with 1008. `None` disables the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::{App, Rate};
    ///
    /// let app = App::new().rate(Rate::new(50, Duration::from_secs(1)));
    /// ```
    pub fn rate(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.defaults.options = self.defaults.options.rate(rate.into());
        self
    }

    /// Limits the bytes per second that one connection sends. Default: 4 MiB.
    ///
    /// Twice as many bytes may come at once. A client that sends more is not read until it is
    /// within its rate; it is not closed, and meanwhile it is neither pinged nor idle. Messages
    /// count after decompression, or as they were sent if that is longer. A control frame or a
    /// fragment counts as at least 256 bytes. `None` disables the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().byte_rate(16 * 1024 * 1024);
    /// ```
    pub fn byte_rate(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.defaults.options = self.defaults.options.byte_rate(bytes.into());
        self
    }

    /// Limits the bytes per second that one connection publishes. Default: 512 KiB.
    ///
    /// Counts the messages of the automatic broadcast and of
    /// [`Socket::publish`](crate::Socket::publish), each once, however many clients receive it.
    /// [`Hub::publish`](crate::Hub::publish) and [`Hub::broadcast`](crate::Hub::broadcast) belong
    /// to no connection and are not counted, even if a handler calls them with `ws.hub()`. What a
    /// client can cause there is limited by its [`byte_rate`](Self::byte_rate).
    ///
    /// Twice as many bytes may come at once. A client that publishes more is not read until it is
    /// within its rate. Without this limit, one client could publish more than the others can
    /// receive, and they would be closed as slow consumers. `None` disables the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().publish_rate(2 * 1024 * 1024);
    /// ```
    pub fn publish_rate(mut self, bytes: impl Into<Option<usize>>) -> Self {
        self.defaults.options = self.defaults.options.publish_rate(bytes.into());
        self
    }

    /// Limits the topics to which one connection is subscribed. Default: 1,024.
    ///
    /// Beyond it, [`Socket::subscribe`](crate::Socket::subscribe) returns
    /// [`SubscribeError::TooManyTopics`](crate::SubscribeError::TooManyTopics), and a line is
    /// logged at `info`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().max_topics(50);
    /// ```
    pub fn max_topics(mut self, topics: usize) -> Self {
        self.defaults.options = self.defaults.options.max_topics(topics);
        self
    }

    /// Limits the bytes in the name of a topic that a connection subscribes to. Default: 255.
    ///
    /// Beyond it, [`Socket::subscribe`](crate::Socket::subscribe) returns
    /// [`SubscribeError::TopicTooLong`](crate::SubscribeError::TopicTooLong), and a line is logged
    /// at `info`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().max_topic_len(64);
    /// ```
    pub fn max_topic_len(mut self, bytes: usize) -> Self {
        self.defaults.options = self.defaults.options.max_topic_len(bytes);
        self
    }

    /// Sets which pages may connect. Default: pages of the server's own host and port.
    ///
    /// By default, pages must also use TLS if a proxy reports that the request did. A list is
    /// exact: it replaces the default, so it has to name the server's own pages too, with their
    /// scheme. A request without an `Origin` header is not checked: most programs that are not
    /// browsers send none.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().origins(["https://example.com"]);
    /// ```
    pub fn origins(mut self, origins: impl Into<Origins>) -> Self {
        self.defaults.origins = origins.into();
        self
    }

    /// Sets the supported subprotocols, in order of preference. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().protocols(["chat.v2", "chat.v1"]);
    /// ```
    pub fn protocols<S: AsRef<str>>(mut self, protocols: impl IntoIterator<Item = S>) -> Self {
        let protocols = protocols.into_iter();
        self.defaults.protocols = protocols.map(|name| name.as_ref().into()).collect();
        self
    }
}
