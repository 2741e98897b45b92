//! The loop over new connections.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::extract::RemoteAddr;
use crate::hub::Hub;

use super::context::Context;
use super::listen::{Accept, Listeners};
use super::opening::ClientTask;
use super::stream::ClientStream;

/// The pause after a failed accept. At the limit of open files, every accept fails immediately
/// until some files are closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts clients and spawns a task for each, until the loop's own task is aborted.
pub(super) async fn accept_loop(
    listeners: Listeners,
    permits: Arc<Semaphore>,
    context: Arc<Context>,
    hub: Hub,
) {
    let mut listeners = listeners.0;
    loop {
        match next_client(&mut listeners, &permits).await {
            Ok((stream, address, permit)) => {
                // The task ends with the client's connection, at the latest by a shutdown. It holds
                // the permit until then.
                tokio::spawn(ClientTask::new(
                    stream,
                    address,
                    permit,
                    Arc::clone(&context),
                ));
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                let _ = timeout(ACCEPT_PAUSE, hub.shutdown_begun()).await;
            }
        }
    }
}

/// Waits for a free permit and then for a client, so that every accepted client is served.
///
/// One loop serves all listeners. If each listener had a loop of its own, each loop would hold a
/// permit while it waits.
async fn next_client(
    listeners: &mut [Box<dyn Accept>],
    permits: &Arc<Semaphore>,
) -> io::Result<(ClientStream, RemoteAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await;
    let permit = permit.map_err(|_| io::Error::other("the server has ended"))?;
    let (at, accepted) = poll_fn(|context| {
        for (at, listener) in listeners.iter_mut().enumerate() {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                return Poll::Ready((at, accepted));
            }
        }
        Poll::Pending
    })
    .await;
    // The listener that has accepted goes to the end, so that the others have their turn.
    listeners[at..].rotate_left(1);
    let (stream, address) = accepted?;
    Ok((stream, address, permit))
}
