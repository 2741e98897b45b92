//! The way out: signals, and the stages of a graceful shutdown.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::hub::Hub;

/// How far a server is on its way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    Serving,
    /// Requests that are under way are still answered.
    Draining,
    /// They are not.
    Ending,
}

/// As many permits as `acquire_many` can ask for.
pub(super) const ALL: u32 = (Semaphore::MAX_PERMITS & 0x7fff_ffff) as u32;

/// What `close` handlers get after all others were cancelled, and then the last writes.
const GRACE: Duration = Duration::from_secs(1);

/// Begins a shutdown on Ctrl-C and SIGTERM. The task ends when it has, or is aborted.
pub(super) fn on_signals(hub: Hub) -> io::Result<JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        hub.shutdown();
    }))
}

/// Waits until all connections have given their permits back; hurries them by stages.
pub(super) async fn drain(
    hub: &Hub,
    permits: &Arc<Semaphore>,
    total: usize,
    stage: &watch::Sender<Stage>,
    patience: Duration,
) {
    let total = u32::try_from(total).unwrap_or(ALL).min(ALL);
    let all_gone = || async { drop(permits.acquire_many(total).await) };
    stage.send_replace(Stage::Draining);
    if timeout(patience, all_gone()).await.is_ok() {
        return;
    }
    tracing::warn!("the shutdown's deadline has passed: cancelling handlers");
    stage.send_replace(Stage::Ending);
    hub.cancel(false);
    if timeout(GRACE, all_gone()).await.is_ok() {
        return;
    }
    hub.cancel(true);
    // Cancelled handlers leave nothing to wait for but the last writes.
    let _ = timeout(GRACE, all_gone()).await;
}
