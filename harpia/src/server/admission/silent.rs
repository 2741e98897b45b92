//! The clients that have connected and have not sent a whole request head yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::limits::MIN_SILENT;

/// The silent clients of a server, the longest silent one first.
pub(super) struct Silent {
    max: usize,
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    /// The number of the next client.
    next: u64,
    /// How each client is told that it is dropped.
    dropped: BTreeMap<u64, Arc<Notify>>,
}

/// A silent client. It counts as silent until this is dropped.
pub(in crate::server) struct SilentClient {
    silent: Arc<Silent>,
    number: u64,
    dropped: Arc<Notify>,
}

impl Silent {
    /// A tenth of all connections may be silent, so silent clients cannot take them all.
    pub(super) fn for_connections(max: usize) -> Self {
        Self {
            max: (max / 10).max(MIN_SILENT),
            clients: Mutex::default(),
        }
    }

    /// Adds a client. Drops the one that has been silent for longest if there are too many.
    pub(super) fn enter(this: &Arc<Self>) -> SilentClient {
        let dropped = Arc::new(Notify::new());
        let mut clients = this.lock();
        if clients.dropped.len() >= this.max
            && let Some((_, longest)) = clients.dropped.pop_first()
        {
            longest.notify_one();
        }
        let number = clients.next;
        clients.next += 1;
        clients.dropped.insert(number, Arc::clone(&dropped));
        drop(clients);
        SilentClient {
            silent: Arc::clone(this),
            number,
            dropped,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SilentClient {
    /// Waits until the client has to make room for a newer one. Cancel safe.
    pub(in crate::server) async fn dropped(&self) {
        self.dropped.notified().await;
    }
}

impl Drop for SilentClient {
    fn drop(&mut self) {
        self.silent.lock().dropped.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_dropped(client: &SilentClient) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(client.dropped()).poll(&mut context).is_ready()
    }

    #[test]
    fn the_client_that_has_been_silent_for_longest_makes_room() {
        let silent = Arc::new(Silent::for_connections(10 * MIN_SILENT));
        let mut clients: Vec<_> = (0..MIN_SILENT).map(|_| Silent::enter(&silent)).collect();
        // A client that has sent its request is not silent, and makes room without a loss.
        drop(clients.remove(3));
        clients.push(Silent::enter(&silent));
        assert!(!clients.iter().any(is_dropped));
        clients.push(Silent::enter(&silent));
        clients.push(Silent::enter(&silent));
        let dropped: Vec<_> = clients.iter().map(is_dropped).collect();
        assert_eq!(dropped[..3], [true, true, false]);
        assert!(!dropped[3..].contains(&true));
        drop(clients);
        assert!(silent.lock().dropped.is_empty());
    }
}
