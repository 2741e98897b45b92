//! The loop over new TCP connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::hub::Hub;

use super::context::Context;
use super::opening::ClientTask;
use super::stream::ClientStream;

/// The pause after a failed accept. At the limit of open files every accept fails at once, until
/// some files are closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts clients and spawns a task for each, until the loop's own task is aborted.
pub(super) async fn accept_loop(
    listener: TcpListener,
    permits: Arc<Semaphore>,
    context: Arc<Context>,
    hub: Hub,
) {
    loop {
        match next_client(&listener, &permits).await {
            Ok((stream, address, permit)) => {
                let stream = ClientStream::Socket(stream);
                // Ends with the client's connection, at the latest by a shutdown. Holds the permit
                // until then.
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
async fn next_client(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await;
    let permit = permit.map_err(|_| io::Error::other("the server has ended"))?;
    let (stream, address) = listener.accept().await?;
    // Messages are small and written whole, so Nagle's algorithm would only delay them. An error
    // means that the client is gone, and the first read reports that.
    let _ = stream.set_nodelay(true);
    Ok((stream, address, permit))
}
