//! Who is in which room.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use harpia::{ConnectionId, HandlerResult};

type Room = BTreeMap<ConnectionId, String>;

/// All rooms that somebody is in.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashMap<String, Room>>);

impl Rooms {
    /// Adds a visitor and announces it with `announce`, which gets everyone's names.
    ///
    /// All under one lock: so the visitor's list and the announcements after it fit together.
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

    /// Removes a visitor and announces it.
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
        // A panic between two lines above loses at most one name.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
