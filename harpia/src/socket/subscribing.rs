//! The result of `Socket::subscribe`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The result of a subscription.
///
/// It can be ignored, checked with [`error`](Self::error), or awaited.
///
/// On one server a subscription is complete when
/// [`Socket::subscribe`](crate::Socket::subscribe) returns, so awaiting it never waits. Code that
/// awaits it before it reads a snapshot is ready for several servers, where a subscription takes a
/// round trip.
///
/// # Cancel safety
///
/// Dropping the value does not end the subscription.
///
/// # Examples
///
/// ```
/// use harpia::prelude::*;
///
/// struct Prices;
///
/// #[ws_route("/prices", broadcast = off)]
/// impl Prices {
///     async fn open(&self, ws: &mut Socket) -> HandlerResult {
///         ws.subscribe("prices").await?;
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Subscribing {
    result: Result<(), SubscribeError>,
}

/// Why a connection was not subscribed to a topic.
///
/// ```
/// use harpia::prelude::*;
/// use harpia::SubscribeError;
///
/// async fn join(ws: &mut Socket, room: &str) -> Result<(), SubscribeError> {
///     ws.subscribe(room).await
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The connection is closed or about to be, or the server has shut down.
    Closed,
    /// The connection has as many topics as `max_topics` allows.
    TooManyTopics {
        /// The route's `max_topics`.
        limit: usize,
    },
    /// The name of the topic is longer than `max_topic_len`.
    TopicTooLong {
        /// The route's `max_topic_len`, in bytes.
        limit: usize,
    },
}

impl Subscribing {
    pub(crate) fn done() -> Self {
        Self { result: Ok(()) }
    }

    pub(crate) fn refused(error: SubscribeError) -> Self {
        Self { result: Err(error) }
    }

    /// Returns why the connection was not subscribed, or `None` if it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn open(ws: &Socket) {
    ///     if let Some(error) = ws.subscribe("prices").error() {
    ///         println!("not subscribed: {error}");
    ///     }
    /// }
    /// ```
    pub fn error(&self) -> Option<&SubscribeError> {
        self.result.as_ref().err()
    }
}

impl Future for Subscribing {
    type Output = Result<(), SubscribeError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(self.result.clone())
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the connection is closed"),
            Self::TooManyTopics { limit } => {
                write!(f, "the connection has {limit} topics (`max_topics`)")
            }
            Self::TopicTooLong { limit } => {
                write!(f, "the topic has more than {limit} bytes (`max_topic_len`)")
            }
        }
    }
}

impl std::error::Error for SubscribeError {}
