//! Graceful shutdown: the signals that begin it, and its stages.

use std::future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use crate::hub::Hub;
use crate::limits::SHUTDOWN_GRACE;

/// The stage of a server's shutdown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ShutdownStage {
    /// No shutdown has begun.
    Serving,
    /// Requests in progress are still answered.
    Draining,
    /// Requests in progress are dropped.
    Aborting,
}

/// The most permits that one `acquire_many` can take.
pub(super) const MAX_PERMITS: u32 = (Semaphore::MAX_PERMITS & 0x7fff_ffff) as u32;

/// Ctrl-C and SIGTERM, or no signals if the program handles them itself.
pub(super) struct Signals(Option<[Signal; 2]>);

impl Signals {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Installs handlers for both signals. They stay installed until the program ends.
    pub(super) fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self(Some([interrupt, terminate])))
    }

    /// Waits for the next signal. Cancel safe: no signal is lost if the future is dropped.
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

/// Waits until all connections have returned their permits.
///
/// 1. Handlers get `timeout` to return.
/// 2. Handlers that still wait are canceled. `close` handlers get [`SHUTDOWN_GRACE`].
/// 3. `close` handlers are canceled. The last writes get [`SHUTDOWN_GRACE`].
///
/// A signal ends the current stage early.
pub(super) async fn drain(
    hub: &Hub,
    permits: &Arc<Semaphore>,
    total: usize,
    stage: &watch::Sender<ShutdownStage>,
    timeout: Duration,
    mut signals: Signals,
) {
    let total = u32::try_from(total).unwrap_or(MAX_PERMITS).min(MAX_PERMITS);
    let mut all_gone_within = async |limit| {
        tokio::select! {
            _ = permits.acquire_many(total) => true,
            () = sleep(limit) => false,
            () = signals.next() => false,
        }
    };
    stage.send_replace(ShutdownStage::Draining);
    if all_gone_within(timeout).await {
        return;
    }
    tracing::warn!("shutdown: `shutdown_timeout` has passed; handlers that still run are canceled");
    stage.send_replace(ShutdownStage::Aborting);
    hub.cancel(false);
    if all_gone_within(SHUTDOWN_GRACE).await {
        return;
    }
    hub.cancel(true);
    // All handlers are canceled, so only the last writes remain.
    all_gone_within(SHUTDOWN_GRACE).await;
}
