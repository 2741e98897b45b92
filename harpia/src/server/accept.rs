//! The loop over new TCP connections, and what each is served with.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::UPGRADE;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::hub::Hub;

use super::http::{Body, Fallback, hide_secrets, text};
use super::refusal;
use super::router::{Found, RouteTable};
use super::shutdown::{self, ShutdownStage, Signals};
use super::upgrade::{self, Upgrade};

/// A bound server, ready to serve. See [`App::bind`](crate::App::bind).
pub struct Server {
    pub(super) listener: TcpListener,
    pub(super) local_addr: SocketAddr,
    pub(super) routes: Arc<RouteTable>,
    pub(super) fallback: Option<Fallback>,
    pub(super) hub: Hub,
    pub(super) max_connections: usize,
    pub(super) shutdown_timeout: Duration,
    /// Last, so that the flusher outlives whatever is dropped before it.
    pub(super) stop: StopOnDrop,
}

/// What all TCP connections of a server share.
struct Context {
    routes: Arc<RouteTable>,
    fallback: Option<Fallback>,
    stage: watch::Receiver<ShutdownStage>,
}

/// A head that takes longer is an attack or a broken client.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for a large cookie; four times the head that common proxies pass.
const MAX_HEAD: usize = 32 * 1024;

/// Without open files to spare, accepting fails at once and for ever: wait for some to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Server {
    /// Returns the address it is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the hub; its `shutdown` ends [`serve`](Self::serve). Handlers have it as
    /// [`Socket::hub`](crate::Socket::hub).
    pub fn handle(&self) -> Hub {
        self.hub.clone()
    }

    /// Serves until [`Hub::shutdown`], then until all connections are gone or the shutdown's
    /// deadline has passed.
    ///
    /// Handles no signals: Ctrl-C and SIGTERM end the program at once, without a close frame or a
    /// `close` handler. [`App::listen`](crate::App::listen) handles them; by hand see below.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops accepting and closes all connections with 1001; their `close`
    /// handlers still run.
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
    ///     server.serve().await;
    ///     Ok(())
    /// }
    /// ```
    pub async fn serve(self) {
        self.serve_with(Signals::none()).await;
    }

    /// Serves until a signal too; each further one ends a wait of the shutdown.
    pub(super) async fn serve_with(self, mut signals: Signals) {
        let permits = Arc::new(Semaphore::new(
            self.max_connections.min(shutdown::ALL as usize),
        ));
        let (stage_sender, stage) = watch::channel(ShutdownStage::Serving);
        let context = Arc::new(Context {
            routes: self.routes,
            fallback: self.fallback,
            stage,
        });
        // A worker accepts, and not the thread that blocks on this future: so what it spawns starts
        // where it is, without waking another thread. Ends with the shutdown, or with this future.
        let accepting = accept_all(
            self.listener,
            Arc::clone(&permits),
            Arc::clone(&context),
            self.hub.clone(),
        );
        let accepting = AbortOnDrop(tokio::spawn(accepting));
        tokio::select! {
            () = self.hub.shutdown_begun() => {}
            () = signals.next() => self.hub.shutdown(),
        }
        drop(accepting);
        let patience = self.shutdown_timeout;
        shutdown::drain(
            &self.hub,
            &permits,
            self.max_connections,
            &stage_sender,
            patience,
            signals,
        )
        .await;
        drop(self.stop);
    }
}

/// Ends a task when whoever waits for it is dropped.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

/// Ends the flusher's thread, also when `serve` is never called or dropped half-way.
pub(super) struct StopOnDrop(pub(super) Hub);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

async fn accept_all(
    listener: TcpListener,
    permits: Arc<Semaphore>,
    context: Arc<Context>,
    hub: Hub,
) {
    loop {
        match accept(&listener, &permits).await {
            Ok((stream, address, permit)) => {
                let served = serve_connection(stream, address, permit, Arc::clone(&context));
                // Ends with its TCP connection, its upgrade, or the shutdown's stages.
                tokio::spawn(served);
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                let _ = timeout(ACCEPT_PAUSE, hub.shutdown_begun()).await;
            }
        }
    }
}

/// Waits for a place and then for a client, so that no more are accepted than are served.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await;
    let permit = permit.map_err(|_| io::Error::other("the server has ended"))?;
    let (stream, address) = listener.accept().await?;
    // Messages are small and written whole: to wait for more would only delay them.
    // A client that is gone already has no options to set; reading it will tell.
    let _ = stream.set_nodelay(true);
    Ok((stream, address, permit))
}

async fn serve_connection(
    stream: TcpStream,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
    context: Arc<Context>,
) {
    if let Some(upgrade) = serve_http(stream, address, context).await {
        upgrade.finish(permit).await;
    }
}

/// Speaks HTTP until the client leaves, an upgrade is answered, or the shutdown ends it.
///
/// hyper's connection ends here. It holds the sender that [`Upgrade::finish`] waits for, and keeps
/// it when writing the 101 fails, so the wait must not begin before the connection is dropped.
async fn serve_http(
    stream: TcpStream,
    address: SocketAddr,
    context: Arc<Context>,
) -> Option<Upgrade> {
    let mut stage = context.stage.clone();
    let upgrade = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (context, upgrade) = (Arc::clone(&context), Arc::clone(&upgrade));
        async move { Ok::<_, hyper::Error>(answer(request, address, &context, &upgrade).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let is_served = tokio::select! {
        // A client that breaks off is its own affair.
        _ = connection.as_mut() => true,
        _ = stage.wait_for(|stage| *stage != ShutdownStage::Serving) => false,
    };
    if !is_served {
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            _ = connection => {}
            _ = stage.wait_for(|stage| *stage == ShutdownStage::Ending) => {}
        }
    }
    upgrade
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

/// What an answer with 101 leaves to be done, once hyper has written it.
type Pending = Mutex<Option<Upgrade>>;

async fn answer(
    mut request: Request<Incoming>,
    address: SocketAddr,
    context: &Context,
    pending: &Pending,
) -> Response<Body> {
    hide_secrets(request.headers_mut());
    match (context.routes.find(request.uri().path()), &context.fallback) {
        (Found::Route(endpoint, path_values), _) => {
            let answered = upgrade::answer(request, endpoint, path_values, address).await;
            let (response, upgrade) = answered;
            *pending.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
            response
        }
        (Found::Nothing, Some(fallback)) => fallback(request).await,
        (Found::Nothing, None) | (Found::Unreadable, _) => {
            if request.headers().contains_key(UPGRADE) {
                refusal::log_unknown_path(request.uri().path());
            }
            text(StatusCode::NOT_FOUND, "not found")
        }
    }
}
