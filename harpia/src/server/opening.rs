//! The opening of a connection: from an accepted client to the 101 response, without hyper.
//!
//! ```text
//!  read the head ──► an upgrade of a route? ──► check ──► make the data ──► 101 ──► the connection
//!        │                   │ no                 │             │
//!        │ too slow: 408     ▼                    └──────┬──────┘
//!        ▼                hyper: `http1`                 ▼ refused
//!      close                                   response, FIN, discard
//! ```
//!
//! The header of a proxy and the TLS handshake come before the head: see [`preamble`]. One time
//! limit, `handshake_timeout`, applies to everything up to the 101. (From the first request that
//! hyper answers on, [`http1`] has limits of its own.) If the client leaves during the opening, the
//! user's code is dropped, and the permit is free again.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{self, Poll, ready};
use std::time::SystemTime;

use bytes::{BufMut, Bytes};
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep, timeout};

use crate::budget::{Budget, Charge};
use crate::extract::RemoteAddr;
use crate::limits::{LINGER, MAX_EARLY_BYTES, MAX_LINGER_BYTES};
use crate::protocol::handshake;

use super::context::{Client, Context};
use super::head::{First, FirstBytes, Head};
use super::http1;
use super::preamble;
use super::refusal::{self, Refusal};
use super::router::Found;
use super::shutdown::ShutdownStage;
use super::stream::ClientStream;
use super::upgrade::{Running, Upgrade, hold, prepare};

/// The task of one client: its opening, and then its connection.
///
/// One task serves both, because spawning a second task costs as much as parsing the head. Both
/// futures are boxed, so that the task of an idle connection takes no memory for an opening.
pub(super) enum ClientTask {
    Opening(Pin<Box<dyn Future<Output = Option<Running>> + Send>>),
    Running(Running),
}

impl ClientTask {
    pub(super) fn new(
        stream: ClientStream,
        address: RemoteAddr,
        permit: OwnedSemaphorePermit,
        context: Arc<Context>,
    ) -> Self {
        Self::Opening(Box::pin(open(stream, address, permit, context)))
    }
}

impl Future for ClientTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<()> {
        if let Self::Opening(opening) = &mut *self {
            match ready!(opening.as_mut().poll(context)) {
                Some(running) => *self = Self::Running(running),
                None => return Poll::Ready(()),
            }
        }
        match &mut *self {
            Self::Running(running) => running.as_mut().poll(context),
            Self::Opening(_) => Poll::Ready(()),
        }
    }
}

/// Serves a client until its connection can start, or until it has its last response.
async fn open(
    stream: ClientStream,
    address: RemoteAddr,
    permit: OwnedSemaphorePermit,
    context: Arc<Context>,
) -> Option<Running> {
    // A trusted proxy has many clients. Each of them is counted when its address is known.
    let mut place = None;
    if !context.proxies.trusts(address) {
        match context.admission.place(address) {
            Ok(taken) => place = taken,
            Err(none) => return refuse_early(stream, none.into(), &context).await,
        }
    }
    let mut limit = pin!(sleep(context.handshake_timeout));
    let begun = begin_unless_dropped(stream, address, limit.as_mut(), &context).await;
    let (mut stream, client, first) = begun?;
    let Some(first) = first else {
        let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request took too long");
        return refuse(stream, refusal, Method::GET).await;
    };
    let is_upgrade = |head: &Head| handshake::is_upgrade(&head.request.headers);
    let Some(mut head) = first.head.filter(is_upgrade) else {
        let running = http1::serve(stream, first.bytes, client, permit, context).await;
        return hold(running, place);
    };
    let peer = client.address;
    let client = client.behind(&context.proxies, &head.request.headers);
    client.mark(&mut head.request.headers);
    let path = head.request.uri.path();
    match context.routes.find_upgrade(path) {
        Found::Route(endpoint, path_values) => {
            let method = head.request.method.clone();
            if context.proxies.trusts(peer) {
                match context.admission.place(client.address) {
                    Ok(taken) => place = taken,
                    Err(none) => return refuse(stream, none.into(), method).await,
                }
            }
            let mut early = EarlyBytes::new(head.rest);
            let preparing = prepare(head.request, &*endpoint, path_values, client.address);
            let mut preparing = Box::pin(preparing);
            // Usually the data is ready at the first poll. Nothing else is polled then.
            let prepared = match poll_once(preparing.as_mut()).await {
                Poll::Ready(prepared) => prepared,
                Poll::Pending => {
                    let client = ClientWait {
                        stream: &mut stream,
                        early: &mut early,
                        limit: limit.as_mut(),
                        context: &context,
                    };
                    match Box::pin(client.until_done(preparing)).await? {
                        Ok(prepared) => prepared,
                        Err(TooSlow) => {
                            Err(refusal::too_slow(endpoint.log_limits(), endpoint.path()))
                        }
                    }
                }
            };
            match prepared {
                Ok(upgrade) => hold(start(upgrade, stream, early, permit, limit).await, place),
                Err(refusal) => refuse(stream, refusal, method).await,
            }
        }
        Found::NoRoute if context.fallback.is_some() => {
            let running = http1::serve(stream, first.bytes, client, permit, context).await;
            hold(running, place)
        }
        Found::NoRoute | Found::Unreadable => {
            refusal::log_unknown_path(context.hub.log_limits(), path);
            refuse(stream, Refusal::not_found(), head.request.method.clone()).await
        }
    }
}

/// A client whose request head has come, or has not come in time.
type Begun = (ClientStream, Client, Option<First>);

/// Reads up to the end of the head. Returns `None` if there is nobody to answer, or if newer
/// clients need the place of this one.
async fn begin_unless_dropped(
    stream: ClientStream,
    address: RemoteAddr,
    limit: Pin<&mut Sleep>,
    context: &Context,
) -> Option<Begun> {
    let mut beginning = pin!(begin(stream, address, limit, context));
    // The head has often come already. Then the client never counts as silent.
    if let Poll::Ready(begun) = poll_once(beginning.as_mut()).await {
        return begun;
    }
    let silent = context.admission.silent_client();
    tokio::select! {
        biased;
        begun = beginning => begun,
        () = silent.dropped() => {
            context.admission.log_silent();
            None
        }
    }
}

/// Reads the preamble and the head.
async fn begin(
    stream: ClientStream,
    address: RemoteAddr,
    mut limit: Pin<&mut Sleep>,
    context: &Context,
) -> Option<Begun> {
    let preamble = preamble::read(stream, address, limit.as_mut(), context).await;
    let (mut stream, client) = preamble?;
    match read_head(&mut stream, limit, context).await {
        Ok(first) => Some((stream, client, Some(first))),
        Err(HeadError::TooSlow) => Some((stream, client, None)),
        Err(HeadError::Ended) => None,
    }
}

/// Polls a future once.
async fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(Pin::new(&mut future).poll(context))).await
}

/// A client that waits for its connection's data.
///
/// Its future is boxed, so that an opening without a wait takes no memory for it.
struct ClientWait<'a> {
    stream: &'a mut ClientStream,
    early: &'a mut EarlyBytes,
    limit: Pin<&'a mut Sleep>,
    context: &'a Context,
}

/// The data was not made in time.
struct TooSlow;

impl ClientWait<'_> {
    /// Waits for the future. Returns `None` if the client leaves first, or the server aborts.
    async fn until_done<T>(self, preparing: impl Future<Output = T>) -> Option<Result<T, TooSlow>> {
        let mut stage = self.context.stage.clone();
        let budget = self.context.hub.unauthenticated_input_budget();
        tokio::select! {
            biased;
            prepared = preparing => Some(Ok(prepared)),
            () = self.early.until_client_left(self.stream, budget) => None,
            _ = stage.wait_for(|stage| *stage == ShutdownStage::Aborting) => None,
            () = self.limit => Some(Err(TooSlow)),
        }
    }
}

/// Why there is no head.
enum HeadError {
    /// There is nobody to answer: the client has left, or the server shuts down before the client
    /// has sent a byte.
    Ended,
    /// The head was not complete in time.
    TooSlow,
}

async fn read_head(
    stream: &mut ClientStream,
    mut limit: Pin<&mut Sleep>,
    context: &Context,
) -> Result<First, HeadError> {
    let mut bytes = FirstBytes::default();
    let mut stage = context.stage.clone();
    let mut is_draining = false;
    loop {
        let is_over = |stage: &ShutdownStage| match is_draining {
            false => *stage != ShutdownStage::Serving,
            true => *stage == ShutdownStage::Aborting,
        };
        tokio::select! {
            // The head has usually arrived, and then neither the timer nor the watch is polled.
            biased;
            read = bytes.read(stream) => return read.map_err(|_| HeadError::Ended),
            _ = stage.wait_for(is_over) => {}
            () = limit.as_mut() => return Err(HeadError::TooSlow),
        }
        if is_draining || bytes.is_empty() {
            return Err(HeadError::Ended);
        }
        is_draining = true;
    }
}

/// Writes the 101, and returns the connection.
async fn start(
    upgrade: Upgrade,
    mut stream: ClientStream,
    early: EarlyBytes,
    permit: OwnedSemaphorePermit,
    limit: Pin<&mut Sleep>,
) -> Option<Running> {
    let response = upgrade.negotiated.to_bytes();
    let written = tokio::select! {
        biased;
        written = write_all(&mut stream, &response) => written.is_ok(),
        () = limit => false,
    };
    written.then(|| upgrade.start(stream, early.bytes(), permit))
}

/// The bytes that a client sends before it has the 101.
struct EarlyBytes {
    /// The bytes that came in the same read as the head.
    with_head: Bytes,
    /// A copy of `with_head`, and then the bytes that came later. Empty until the first later read,
    /// which is rare.
    with_later: Vec<u8>,
}

impl EarlyBytes {
    fn new(with_head: Bytes) -> Self {
        Self {
            with_head,
            with_later: Vec::new(),
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.with_later.is_empty() {
            &self.with_head
        } else {
            &self.with_later
        }
    }

    /// Reads and keeps bytes. Returns when the client has left, or has sent more than
    /// [`MAX_EARLY_BYTES`].
    ///
    /// The server does not notice that a client leaves unless it reads from the client. A client
    /// that sends more than the server reads therefore counts as gone. The bytes are charged to
    /// `budget`. If the budget has no room for them, the client also counts as gone.
    async fn until_client_left(&mut self, stream: &mut ClientStream, budget: &Arc<Budget>) {
        let mut charge = Charge::new(Arc::clone(budget));
        loop {
            let room = MAX_EARLY_BYTES.saturating_sub(self.bytes().len());
            if room == 0 {
                return;
            }
            if self.with_later.is_empty() {
                self.with_later.extend_from_slice(&self.with_head);
            }
            let mut limited = (&mut self.with_later).limit(room);
            match stream.read_buf(&mut limited).await {
                Ok(0) | Err(_) => return,
                Ok(read) if charge.try_add(read) => {}
                Ok(_) => return,
            }
        }
    }
}

/// Tells a client that the server is full.
pub(super) async fn refuse_without_place(stream: ClientStream, context: &Context) {
    let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the server is full");
    refuse_early(stream, refusal, context).await;
}

/// Refuses a client before its request. A client that expects TLS is dropped without a response,
/// because a handshake costs more than serving it.
async fn refuse_early(
    stream: ClientStream,
    refusal: Refusal,
    context: &Context,
) -> Option<Running> {
    match preamble::expects_tls(&stream, context) {
        true => None,
        false => refuse(stream, refusal, Method::GET).await,
    }
}

/// Answers an upgrade with an error, and closes.
///
/// The bytes after the request are not interpreted: a proxy may have taken a second request for
/// frames. The bytes are read and discarded, because a socket that is closed with unread input
/// sends a reset, which could destroy the response on its way.
///
/// The future is boxed, like that of [`http1::serve`], so that an opening without a refusal takes
/// no memory for it.
fn refuse(
    mut stream: ClientStream,
    refusal: Refusal,
    method: Method,
) -> Pin<Box<dyn Future<Output = Option<Running>> + Send>> {
    Box::pin(async move {
        let response = refusal.to_bytes(SystemTime::now(), method == Method::HEAD);
        let closing = async {
            write_all(&mut stream, &response).await?;
            stream.shutdown().await?;
            discard(&mut stream).await
        };
        // After an error or the time limit, nothing more can be done for the client.
        let _ = timeout(LINGER, closing).await;
        None
    })
}

/// Reads until the client closes, up to [`MAX_LINGER_BYTES`].
async fn discard(stream: &mut ClientStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut left = MAX_LINGER_BYTES;
    while left > 0 {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => left = left.saturating_sub(read),
        }
    }
    Ok(())
}

async fn write_all(stream: &mut ClientStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
