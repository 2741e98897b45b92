//! The program of the guide "snapshot, then updates".
//!
//! A lock protects the state. A client that joins takes a snapshot under the lock, and a task that
//! changes the state publishes the change under the same lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use harpia::prelude::*;
use tokio::sync::watch;

/// How an update reaches the clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// `Hub::publish` to a topic that clients subscribe to in `open`.
    Topic,
    /// `Hub::broadcast`.
    Broadcast,
    /// The automatic broadcast of messages that other clients send.
    Automatic,
}

/// The last number of each writer, by the writer's name.
pub(crate) type Numbers = BTreeMap<String, u64>;

/// The state that all routes share.
#[derive(Debug)]
pub(crate) struct World {
    way: Way,
    numbers: Mutex<Numbers>,
    /// The sum of all numbers, so that tasks can wait until it grows.
    total: watch::Sender<u64>,
}

pub(crate) const TOPIC: &str = "numbers";

impl World {
    pub(crate) fn new(way: Way) -> Arc<Self> {
        Arc::new(Self {
            way,
            numbers: Mutex::default(),
            total: watch::Sender::new(0),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes and sends a snapshot under the lock; returns the number of updates in it.
    pub(crate) fn join<D>(&self, ws: &Socket<D>) -> u64 {
        let numbers = self.lock();
        if self.way == Way::Topic {
            ws.subscribe(TOPIC);
        }
        let numbers = numbers
            .iter()
            .map(|(writer, number)| format!(" {writer}:{number}"));
        ws.send(format!("snapshot{}", numbers.collect::<String>()));
        self.total()
    }

    /// Takes a writer's next number and publishes it under the lock.
    pub(crate) fn publish(&self, hub: &Hub, writer: &str, padding: &str) {
        let mut numbers = self.lock();
        let number = numbers.entry(writer.to_owned()).or_default();
        let message = format!("{writer}:{}{padding}", *number + 1);
        let status = match self.way {
            Way::Topic => hub.publish(TOPIC, message),
            Way::Broadcast | Way::Automatic => hub.broadcast(message),
        };
        // A rejected publish is not counted: the promise is only about accepted messages.
        *number += u64::from(status.is_accepted());
        self.has_grown(&numbers);
    }

    /// Records a client's message before it is broadcast.
    pub(crate) fn note(&self, message: &str) {
        if let Some((writer, number)) = parse(message) {
            let mut numbers = self.lock();
            numbers.insert(writer, number);
            self.has_grown(&numbers);
        }
    }

    fn has_grown(&self, numbers: &Numbers) {
        self.total.send_replace(numbers.values().sum());
    }

    /// Returns how many updates there were: those that the log had room for.
    pub(crate) fn total(&self) -> u64 {
        *self.total.borrow()
    }

    /// Waits until this many more updates have happened.
    pub(crate) async fn grow_by(&self, count: u64) {
        let target = self.total() + count;
        self.grow_to(target).await;
    }

    /// Waits until this many updates have happened in total.
    pub(crate) async fn grow_to(&self, target: u64) {
        let mut total = self.total.subscribe();
        // Cannot fail: `self` owns the sender.
        let _ = total.wait_for(|total| *total >= target).await;
    }
}

/// Parses `writer:number`, with or without padding after it.
pub(crate) fn parse(message: &str) -> Option<(String, u64)> {
    let (writer, rest) = message.split_once(':')?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((writer.to_owned(), digits.parse().ok()?))
}

/// Parses a snapshot.
///
/// # Panics
///
/// If the message is not a snapshot.
pub(crate) fn parse_snapshot(message: &str) -> Numbers {
    let mut words = message.split(' ');
    assert_eq!(words.next(), Some("snapshot"), "{message}");
    words.filter_map(parse).collect()
}
