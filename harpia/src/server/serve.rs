//! A bound server: it accepts until a shutdown begins, and then waits for its connections.

use std::fmt;
use std::future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::panic_guard::text_of;

use super::accept;
use super::admission::Admission;
use super::context::Context;
use super::http::Fallback;
use super::listen::{ListenAddr, Listeners};
use super::proxies::Proxies;
use super::router::RouteTable;
use super::shutdown::{self, ShutdownStage, Signals};
#[cfg(feature = "tls")]
use super::tls::Tls;

/// A bound server, ready to serve. [`App::bind`](crate::App::bind) returns it.
///
/// # Examples
///
/// A test that starts a server on a free port and stops it:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> harpia::Result {
/// use harpia::App;
///
/// let server = App::new().bind("127.0.0.1:0").await?;
/// let (address, hub) = (server.local_addr(), server.handle());
/// let running = tokio::spawn(server.serve());
/// println!("connect to {address}");
/// hub.shutdown();
/// running.await.unwrap()?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    pub(super) listeners: Listeners,
    pub(super) routes: Arc<RouteTable>,
    pub(super) fallback: Option<Fallback>,
    pub(super) hub: Hub,
    pub(super) max_connections: usize,
    pub(super) max_connections_per_address: Option<usize>,
    pub(super) shutdown_timeout: Duration,
    pub(super) handshake_timeout: Duration,
    pub(super) proxies: Proxies,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
    /// The last field, so that the flusher outlives the fields that are dropped before it.
    pub(super) stop: StopOnDrop,
}

impl Server {
    /// Returns where the server listens. If it has several listeners, this is the first.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> harpia::Result {
    /// use harpia::App;
    ///
    /// let server = App::new().bind("127.0.0.1:0").await?;
    /// assert_ne!(server.local_addr().tcp().unwrap().port(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn local_addr(&self) -> ListenAddr {
        let first = self.local_addrs().next();
        first.unwrap_or_else(|| ListenAddr::Other("nowhere".to_owned()))
    }

    /// Returns where each of the listeners listens.
    pub fn local_addrs(&self) -> impl Iterator<Item = ListenAddr> {
        let listeners = self.listeners.0.iter();
        listeners.map(|listener| listener.local_addr().clone())
    }

    /// Returns the listeners' addresses as a log line shows them.
    pub(super) fn local_urls(&self) -> impl Iterator<Item = String> {
        self.local_addrs().map(|address| match address {
            #[cfg(feature = "tls")]
            ListenAddr::Tcp(address) if self.tls.is_some() => format!("https://{address}"),
            ListenAddr::Tcp(address) => format!("http://{address}"),
            other => other.to_string(),
        })
    }

    /// Returns the hub, to send and publish, or to end [`serve`](Self::serve) with its `shutdown`.
    ///
    /// Handlers get it from [`Socket::hub`](crate::Socket::hub).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> harpia::Result {
    /// use harpia::App;
    ///
    /// let server = App::new().bind("127.0.0.1:0").await?;
    /// let hub = server.handle();
    /// assert_eq!(hub.connections(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn handle(&self) -> Hub {
        self.hub.clone()
    }

    /// Serves until [`Hub::shutdown`], then until all connections are closed.
    ///
    /// Waits at most two seconds longer than
    /// [`shutdown_timeout`](crate::App::shutdown_timeout) for them.
    ///
    /// Does not handle signals: Ctrl-C and SIGTERM end the program at once, without a close frame
    /// and without a `close` handler. [`App::listen`](crate::App::listen) handles them, and so does
    /// the example below.
    ///
    /// # Errors
    ///
    /// [`Error::Crash`] if the thread that delivers messages or the loop that accepts connections
    /// has panicked. The server shuts down then, as after [`Hub::shutdown`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the server stops accepting and closes all connections with 1001.
    /// Their `close` handlers still run.
    ///
    /// # Examples
    ///
    /// With tokio's feature `signal`:
    ///
    /// ```no_run
    /// use harpia::prelude::*;
    /// use tokio::signal::ctrl_c;
    /// use tokio::signal::unix::{SignalKind, signal};
    ///
    /// # struct Chat;
    /// # #[ws_route("/chat")]
    /// # impl Chat { fn open(&self) {} }
    /// #[tokio::main]
    /// async fn main() -> harpia::Result {
    ///     let server = App::new().ws(Chat).bind("127.0.0.1:3000").await?;
    ///     println!("listening on {}", server.local_addr());
    ///     let hub = server.handle();
    ///     let mut terminate = signal(SignalKind::terminate())?;
    ///     tokio::spawn(async move {
    ///         tokio::select! {
    ///             _ = ctrl_c() => {}
    ///             _ = terminate.recv() => {}
    ///         }
    ///         hub.shutdown();
    ///     });
    ///     server.serve().await
    /// }
    /// ```
    pub async fn serve(self) -> Result {
        self.serve_with(Signals::none()).await
    }

    /// Serves until the hub or a signal begins a shutdown. Each further signal ends one stage of
    /// the shutdown.
    pub(super) async fn serve_with(self, mut signals: Signals) -> Result {
        let max_connections = self.max_connections.min(shutdown::MAX_PERMITS as usize);
        let admission = Admission::new(max_connections, self.max_connections_per_address);
        let permits = Arc::clone(admission.permits());
        let (stage_sender, stage) = watch::channel(ShutdownStage::Serving);
        let context = Arc::new(Context {
            routes: self.routes,
            fallback: self.fallback,
            hub: self.hub.clone(),
            stage,
            handshake_timeout: self.handshake_timeout,
            admission,
            proxies: self.proxies,
            #[cfg(feature = "tls")]
            tls: self.tls,
        });
        // The loop is a task, so that a worker thread accepts and not the thread that blocks on
        // this future. The tasks of clients then start on that worker, without waking another
        // thread. The loop ends when the shutdown begins, or when this future is dropped.
        let accepting = accept::accept_loop(self.listeners, Arc::clone(&context), self.hub.clone());
        let mut accepting = AbortOnDrop(tokio::spawn(accepting));
        let crash = tokio::select! {
            () = self.hub.shutdown_begun() => None,
            () = signals.next() => {
                self.hub.shutdown();
                None
            }
            crash = accepting.crash() => {
                self.hub.shutdown();
                Some(crash)
            }
        };
        drop(accepting);
        shutdown::drain(
            &self.hub,
            &permits,
            max_connections,
            &stage_sender,
            self.shutdown_timeout,
            signals,
        )
        .await;
        drop(self.stop);
        let flusher = self
            .hub
            .crashed()
            .map(|message| ("delivery", message.to_owned()));
        match flusher.or(crash.map(|message| ("accept loop", message))) {
            None => Ok(()),
            Some((part, message)) => {
                tracing::error!("the {part} panicked, so the server has shut down: {message}");
                Err(Error::Crash { part, message })
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}

/// Aborts a task when it is dropped.
struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    /// Waits until the task panics, and returns the text of the panic.
    async fn crash(&mut self) -> String {
        match (&mut self.0).await {
            Err(error) if error.is_panic() => text_of(&*error.into_panic()),
            _ => future::pending().await,
        }
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Stops the flusher's thread when it is dropped, even if `serve` is never called or is dropped
/// before it returns.
pub(super) struct StopOnDrop(pub(super) Hub);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests;
