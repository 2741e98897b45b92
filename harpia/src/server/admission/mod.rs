//! Which clients are let in: the limits of connections, of silent clients, and of each address.
//!
//! A client that is refused gets a response at once. If it had to wait instead, one that holds many
//! connections could keep all others waiting, and nobody would be told.

mod addresses;
mod silent;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::extract::RemoteAddr;
use crate::limits::MAX_REFUSALS;
use crate::log_limit::LogLimit;

use super::refusal::Refusal;
use addresses::Addresses;
pub(super) use addresses::Place;
use silent::Silent;
pub(super) use silent::SilentClient;

/// The state of the limits of one server.
pub(super) struct Admission {
    permits: Arc<Semaphore>,
    /// The number of permits.
    max: usize,
    /// Whether the last client was refused because all permits were taken.
    is_full: AtomicBool,
    /// The clients that get a response because the server is full. Each takes an open file.
    refusals: Arc<Semaphore>,
    silent: Arc<Silent>,
    addresses: Option<Arc<Addresses>>,
    log: Log,
}

/// An address has as many connections as it may have.
pub(super) struct NoPlace;

impl From<NoPlace> for Refusal {
    fn from(_: NoPlace) -> Self {
        let message = "too many connections from this address";
        Self::new(StatusCode::TOO_MANY_REQUESTS, message)
    }
}

/// The limits on repeated log lines.
#[derive(Default)]
struct Log {
    full: LogLimit,
    silent: LogLimit,
    addresses: LogLimit,
}

impl Admission {
    pub(super) fn new(max: usize, max_per_address: Option<usize>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(max)),
            max,
            is_full: AtomicBool::new(false),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            silent: Arc::new(Silent::for_connections(max)),
            addresses: max_per_address.map(|max| Arc::new(Addresses::new(max))),
            log: Log::default(),
        }
    }

    /// Returns the permits of all connections. A shutdown waits until all are back.
    pub(super) fn permits(&self) -> &Arc<Semaphore> {
        &self.permits
    }

    /// Takes a permit for a connection, or returns `None` if the server is full. Logs when this
    /// changes.
    pub(super) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        // The server counts as full until some permits are free again. Otherwise it would change at
        // each connection that ends.
        let has_room = self.permits.available_permits() >= self.max / 20;
        let was_full = self.is_full.load(Ordering::Relaxed);
        if was_full == permit.is_none() || (was_full && !has_room) {
            return permit;
        }
        self.is_full.store(!was_full, Ordering::Relaxed);
        if let Some(suppressed) = self.log.full.admit() {
            let max_connections = self.max;
            match was_full {
                false => tracing::warn!(
                    max_connections,
                    suppressed,
                    "the server is full: new clients get a 503"
                ),
                true => tracing::info!(max_connections, suppressed, "the server has room again"),
            }
        }
        permit
    }

    /// Takes a permit to tell a client that the server is full. Returns `None` if so many clients
    /// are being told that there is no open file for another.
    pub(super) fn refusal_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.refusals).try_acquire_owned().ok()
    }

    /// Counts a client from which no request has come yet. If there are too many, the one that has
    /// been silent for longest is dropped.
    pub(super) fn silent_client(&self) -> SilentClient {
        Silent::enter(&self.silent)
    }

    pub(super) fn log_silent(&self) {
        if let Some(suppressed) = self.log.silent.admit() {
            tracing::info!(
                suppressed,
                "client dropped: it has sent no request, and newer clients need its place"
            );
        }
    }

    /// Takes a place for a client of this address. Returns `None` if addresses have no limit.
    ///
    /// # Errors
    ///
    /// If the address has as many connections as it may have.
    pub(super) fn place(&self, address: RemoteAddr) -> Result<Option<Place>, NoPlace> {
        let Some(addresses) = &self.addresses else {
            return Ok(None);
        };
        if let Some(place) = Addresses::enter(addresses, address) {
            return Ok(Some(place));
        }
        if let Some(suppressed) = self.log.addresses.admit() {
            tracing::info!(
                %address,
                suppressed,
                "client refused: its address has `max_connections_per_address` connections"
            );
        }
        Err(NoPlace)
    }
}
