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
//! One time limit, `handshake_timeout`, holds for all of it. If the client leaves meanwhile, the
//! user's code is dropped, and the permit is free again.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use crate::extract::PathValues;
use crate::limits::{LINGER, MAX_EARLY_BYTES, MAX_LINGER_BYTES};
use crate::protocol::handshake;

use super::accept::Context;
use super::head::{First, FirstBytes, Head};
use super::http1;
use super::refusal::{self, Refusal};
use super::router::Found;
use super::shutdown::ShutdownStage;
use super::stream::ClientStream;
use super::upgrade::{Endpoint, Upgrade, prepare};

/// Serves a client until its connection has started, or until it has its last response.
pub(super) async fn serve_client(
    mut stream: ClientStream,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
    context: Arc<Context>,
) {
    let deadline = Instant::now() + context.handshake_timeout;
    let first = match read_head(&mut stream, deadline, &context).await {
        Ok(first) => first,
        Err(Unread::Gone) => return,
        Err(Unread::Late) => {
            let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "the request took too long");
            return refuse(stream, &refusal, &Method::GET).await;
        }
    };
    let is_upgrade = |head: &Head| handshake::is_upgrade(&head.request.headers);
    let Some(head) = first.head.filter(is_upgrade) else {
        return http1::serve(stream, first.bytes, address, permit, context).await;
    };
    let path = head.request.uri.path();
    match context.routes.find_upgrade(path) {
        Found::Route(endpoint, path_values) => {
            let opening = Opening {
                endpoint,
                path_values,
                address,
                deadline,
            };
            opening.run(stream, head, permit, &context).await;
        }
        Found::NoRoute if context.fallback.is_some() => {
            http1::serve(stream, first.bytes, address, permit, context).await;
        }
        Found::NoRoute | Found::Unreadable => {
            refusal::log_unknown_path(context.hub.log_limits(), path);
            refuse(stream, &Refusal::not_found(), &head.request.method).await;
        }
    }
}

/// Why there is no head.
enum Unread {
    /// The client has left, or the server shuts down before the client has sent a byte.
    Gone,
    /// The head was not complete in time.
    Late,
}

async fn read_head(
    stream: &mut ClientStream,
    deadline: Instant,
    context: &Context,
) -> Result<First, Unread> {
    let mut bytes = FirstBytes::default();
    let mut stage = context.stage.clone();
    let mut is_draining = false;
    loop {
        let is_over = |stage: &ShutdownStage| match is_draining {
            false => *stage != ShutdownStage::Serving,
            true => *stage == ShutdownStage::Aborting,
        };
        tokio::select! {
            // The head is usually there already: then neither the timer nor the watch is touched.
            biased;
            read = timeout_at(deadline, bytes.read(stream)) => {
                return match read {
                    Ok(read) => read.map_err(|_| Unread::Gone),
                    Err(_) => Err(Unread::Late),
                };
            }
            _ = stage.wait_for(is_over) => {}
        }
        if is_draining || bytes.is_empty() {
            return Err(Unread::Gone);
        }
        is_draining = true;
    }
}

/// An upgrade for a route, whose head is read.
struct Opening {
    endpoint: Arc<dyn Endpoint>,
    path_values: PathValues,
    address: SocketAddr,
    deadline: Instant,
}

impl Opening {
    async fn run(
        self,
        mut stream: ClientStream,
        head: Head,
        permit: OwnedSemaphorePermit,
        context: &Context,
    ) {
        let method = head.request.method.clone();
        let mut early = EarlyBytes::new(head.rest);
        let built = {
            let preparing = self.prepare(head.request);
            let mut stage = context.stage.clone();
            tokio::select! {
                // Data is usually made at once: then the client is not watched.
                biased;
                built = preparing => built,
                () = early.until_left(&mut stream) => return,
                _ = stage.wait_for(|stage| *stage == ShutdownStage::Aborting) => return,
            }
        };
        match built {
            Ok(upgrade) => {
                let response = upgrade.negotiated.to_bytes();
                let written = timeout_at(self.deadline, write_all(&mut stream, &response)).await;
                if matches!(written, Ok(Ok(()))) {
                    upgrade.start(stream, early.bytes(), permit);
                }
            }
            Err(refusal) => refuse(stream, &refusal, &method).await,
        }
    }

    fn prepare(&self, request: Parts) -> impl Future<Output = Result<Upgrade, Refusal>> + use<'_> {
        let path = request.uri.path().to_owned();
        let path_values = self.path_values.clone();
        let preparing = prepare(request, &*self.endpoint, path_values, self.address);
        async move {
            match timeout_at(self.deadline, preparing).await {
                Ok(built) => built,
                Err(_) => Err(refusal::too_slow(self.endpoint.log_limits(), &path)),
            }
        }
    }
}

/// The bytes that a client sends before it has the 101.
struct EarlyBytes {
    /// The bytes that came with the head.
    first: Bytes,
    /// The first bytes and those that came later, if any did.
    all: Vec<u8>,
}

impl EarlyBytes {
    fn new(first: Bytes) -> Self {
        Self {
            first,
            all: Vec::new(),
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.all.is_empty() {
            &self.first
        } else {
            &self.all
        }
    }

    /// Reads and keeps bytes. Returns when the client has left.
    ///
    /// Reads no more than [`MAX_EARLY_BYTES`]. The time limit of the opening holds for a client
    /// that sends more and leaves.
    async fn until_left(&mut self, stream: &mut ClientStream) {
        let mut buffer = [0; 1024];
        loop {
            let room = MAX_EARLY_BYTES.saturating_sub(self.bytes().len());
            if room == 0 {
                return std::future::pending().await;
            }
            let length = room.min(buffer.len());
            match stream.read(&mut buffer[..length]).await {
                Ok(0) | Err(_) => return,
                Ok(read) => {
                    if self.all.is_empty() {
                        self.all.extend_from_slice(&self.first);
                    }
                    self.all.extend_from_slice(&buffer[..read]);
                }
            }
        }
    }
}

/// Answers an upgrade with an error, and closes.
///
/// What follows the request is not interpreted: it may be a request that a proxy took for frames.
/// It is read and discarded, since to close a socket with unread input sends a reset, which could
/// destroy the response on its way.
async fn refuse(mut stream: ClientStream, refusal: &Refusal, method: &Method) {
    let response = refusal.to_bytes(SystemTime::now(), *method == Method::HEAD);
    let closing = async {
        write_all(&mut stream, &response).await?;
        stream.shutdown().await?;
        discard(&mut stream).await
    };
    // An error or a late client: either way the response is as far as it gets.
    let _ = timeout(LINGER, closing).await;
}

/// Reads until the client closes, up to [`MAX_LINGER_BYTES`].
pub(super) async fn discard(stream: &mut ClientStream) -> io::Result<()> {
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
