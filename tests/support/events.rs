//! What handlers tell the test.

use std::fmt::Display;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use crate::within;

/// A log that handlers write and the test reads, in order.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::Sender<String>,
    receiver: Arc<Mutex<mpsc::Receiver<String>>>,
}

impl Events {
    /// Makes an empty log.
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(10_000);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(receiver)),
        }
    }

    /// Notes an event.
    ///
    /// # Panics
    ///
    /// If nobody reads 10,000 of them.
    pub fn note(&self, event: impl Display) {
        let sent = self.sender.try_send(event.to_string());
        assert!(sent.is_ok(), "too many events");
    }

    /// Waits for the next event.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn next(&self) -> String {
        let mut receiver = self.receiver.lock().await;
        match within(receiver.recv()).await {
            Some(event) => event,
            None => panic!("no event can come any more"),
        }
    }

    /// Returns what was noted and not read yet.
    pub async fn rest(&self) -> Vec<String> {
        let mut receiver = self.receiver.lock().await;
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}
