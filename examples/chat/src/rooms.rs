//! The people in each room.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use harpia::{ConnectionId, HandlerResult};

type Room = BTreeMap<ConnectionId, String>;

/// All rooms that have at least one visitor.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashMap<String, Room>>);

impl Rooms {
    /// Adds a visitor, then calls `announce` with the names of everyone in the room.
    ///
    /// Race: two visitors may enter the same room at once. Each must learn of the other exactly
    /// once, from the list or from an announcement. Both steps therefore happen under one lock,
    /// so the second visitor's list has the first, and the first gets the second's announcement.
    pub(crate) fn enter(
        &self,
        room: &str,
        id: ConnectionId,
        name: &str,
        announce: impl FnOnce(Vec<String>) -> HandlerResult,
    ) -> HandlerResult {
        let mut rooms = self.lock();
        let people = rooms.entry(room.to_owned()).or_default();
        people.insert(id, name.to_owned());
        announce(people.values().cloned().collect())
    }

    /// Removes a visitor, then calls `announce` under the same lock.
    pub(crate) fn leave(
        &self,
        room: &str,
        id: ConnectionId,
        announce: impl FnOnce() -> HandlerResult,
    ) -> HandlerResult {
        let mut rooms = self.lock();
        let Some(people) = rooms.get_mut(room) else {
            return Ok(());
        };
        people.remove(&id);
        if people.is_empty() {
            rooms.remove(room);
        }
        announce()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Room>> {
        // A panic under the lock loses at most one name, so a poisoned lock is still usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
