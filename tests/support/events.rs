//! Events that handlers report to the test.

use std::fmt::Display;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use crate::within;

/// An ordered list of events. Handlers write it and the test reads it.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::Sender<String>,
    receiver: Arc<Mutex<mpsc::Receiver<String>>>,
}

impl Events {
    /// Creates an empty list.
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(10_000);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(receiver)),
        }
    }

    /// Adds an event.
    ///
    /// # Panics
    ///
    /// If 10,000 events are unread.
    pub fn note(&self, event: impl Display) {
        let sent = self.sender.try_send(event.to_string());
        assert!(sent.is_ok(), "more than 10,000 unread events");
    }

    /// Waits for the next event.
    ///
    /// # Panics
    ///
    /// If there is none within 20 seconds.
    pub async fn next(&self) -> String {
        let mut receiver = self.receiver.lock().await;
        match within(receiver.recv()).await {
            Some(event) => event,
            None => panic!("all senders of events are gone"),
        }
    }

    /// Returns all unread events.
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
