//! The way out: signals, and the stages of a graceful shutdown.

use std::future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use crate::hub::Hub;

/// How far a server is on its way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ShutdownStage {
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

/// Ctrl-C and SIGTERM, or nothing, where the program handles them itself.
pub(super) struct Signals(Option<[Signal; 2]>);

impl Signals {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Has both signals come here, from now on and for as long as the program runs.
    pub(super) fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self(Some([interrupt, terminate])))
    }

    /// Waits for the next signal. None is lost if the future is dropped before.
    pub(super) async fn next(&mut self) {
        let Some([interrupt, terminate]) = &mut self.0 else {
            return future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Waits until all connections have given their permits back; hurries them by stages. Who sends a
/// signal once more does not want to wait: it ends the stage.
pub(super) async fn drain(
    hub: &Hub,
    permits: &Arc<Semaphore>,
    total: usize,
    stage: &watch::Sender<ShutdownStage>,
    patience: Duration,
    mut signals: Signals,
) {
    let total = u32::try_from(total).unwrap_or(ALL).min(ALL);
    let mut all_gone_within = async |limit| {
        tokio::select! {
            _ = permits.acquire_many(total) => true,
            () = sleep(limit) => false,
            () = signals.next() => false,
        }
    };
    stage.send_replace(ShutdownStage::Draining);
    if all_gone_within(patience).await {
        return;
    }
    tracing::warn!("the shutdown's patience is over: cancelling handlers");
    stage.send_replace(ShutdownStage::Ending);
    hub.cancel(false);
    if all_gone_within(GRACE).await {
        return;
    }
    hub.cancel(true);
    // Cancelled handlers leave nothing to wait for but the last writes.
    all_gone_within(GRACE).await;
}
