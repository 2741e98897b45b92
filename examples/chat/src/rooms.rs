//! Who is in which room.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use harpia::{ConnectionId, HandlerResult};

type Room = BTreeMap<ConnectionId, String>;

/// All rooms that somebody is in.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashMap<String, Room>>);

impl Rooms {
    /// Notes a visitor and tells of it with `tell`, which gets everyone's names.
    ///
    /// All under one lock, so that the rooms and what is told of them stay in one order.
    pub(crate) fn enter(
        &self,
        room: &str,
        id: ConnectionId,
        name: &str,
        tell: impl FnOnce(Vec<String>) -> HandlerResult,
    ) -> HandlerResult {
        let mut rooms = self.lock();
        let people = rooms.entry(room.to_owned()).or_default();
        if people.insert(id, name.to_owned()).is_some() {
            return Ok(());
        }
        tell(people.values().cloned().collect())
    }

    /// Forgets a visitor, and tells of it if there was one.
    pub(crate) fn leave(
        &self,
        room: &str,
        id: ConnectionId,
        tell: impl FnOnce() -> HandlerResult,
    ) -> HandlerResult {
        let mut rooms = self.lock();
        let Some(people) = rooms.get_mut(room) else {
            return Ok(());
        };
        if people.remove(&id).is_none() {
            return Ok(());
        }
        if people.is_empty() {
            rooms.remove(room);
        }
        tell()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Room>> {
        // A panic between two lines above loses at most one name.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
