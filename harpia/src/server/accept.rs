//! The loop over new connections.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use crate::extract::RemoteAddr;
use crate::hub::Hub;
use crate::log_limit::LogLimit;

use super::context::Context;
use super::listen::{Accept, Listeners};
use super::opening::{ClientTask, refuse_without_place};
use super::stream::ClientStream;

/// The pause after a failed accept. At the limit of open files, every accept fails immediately
/// until some files are closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts clients and spawns a task for each, until the loop's own task is aborted.
pub(super) async fn accept_loop(listeners: Listeners, context: Arc<Context>, hub: Hub) {
    let mut listeners = listeners.0;
    let mut failures = Failures::default();
    loop {
        match next_client(&mut listeners).await {
            Ok((stream, address)) => {
                failures.accepted();
                admit(stream, address, &context);
            }
            Err(error) => {
                failures.failed(&error);
                let _ = timeout(ACCEPT_PAUSE, hub.shutdown_begun()).await;
            }
        }
    }
}

/// Spawns the task of a client, or refuses the client if the server is full.
fn admit(stream: ClientStream, address: RemoteAddr, context: &Arc<Context>) {
    let context = Arc::clone(context);
    match context.admission.permit() {
        // The task ends with the client's connection, at the latest by a shutdown. It holds the
        // permit until then.
        Some(permit) => {
            tokio::spawn(ClientTask::new(stream, address, permit, context));
        }
        None => {
            if let Some(permit) = context.admission.refusal_permit() {
                tokio::spawn(async move {
                    refuse_without_place(stream, &context).await;
                    drop(permit);
                });
            }
        }
    }
}

/// Waits for a client.
///
/// One loop serves all listeners, so that their clients are admitted in turn.
async fn next_client(listeners: &mut [Box<dyn Accept>]) -> io::Result<(ClientStream, RemoteAddr)> {
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
    accepted
}

/// Logs when accepting begins to fail and when it works again, and not each failure between.
#[derive(Default)]
struct Failures {
    is_failing: bool,
    log: LogLimit,
}

impl Failures {
    fn failed(&mut self, error: &io::Error) {
        if !self.is_failing
            && let Some(suppressed) = self.log.admit()
        {
            tracing::warn!(suppressed, "cannot accept a connection: {error}");
        }
        self.is_failing = true;
    }

    fn accepted(&mut self) {
        if self.is_failing
            && let Some(suppressed) = self.log.admit()
        {
            tracing::info!(suppressed, "connections are accepted again");
        }
        self.is_failing = false;
    }
}
