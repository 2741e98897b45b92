//! The id of a connection, unique within its server.

use std::fmt;

/// The id of one connection of a server.
///
/// No other connection gets the same id later.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use harpia::prelude::*;
/// use harpia::ConnectionId;
///
/// struct Names { by_id: Mutex<HashMap<ConnectionId, String>> }
///
/// #[ws_route("/names", broadcast = off)]
/// impl Names {
///     fn message(&self, ws: &mut Socket, name: String) {
///         self.by_id.lock().unwrap().insert(ws.id(), name);
///     }
///
///     fn close(&self, ws: &mut Socket) {
///         self.by_id.lock().unwrap().remove(&ws.id());
///     }
/// }
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId {
    generation: u32,
    slot: Slot,
}

/// An index into the hub's table. Slots are reused; ids are not.
pub(crate) type Slot = u32;

impl ConnectionId {
    pub(crate) fn new(slot: Slot, generation: u32) -> Self {
        Self { generation, slot }
    }

    pub(crate) fn generation(self) -> u32 {
        self.generation
    }

    pub(crate) fn slot(self) -> Slot {
        self.slot
    }

    /// Returns the id as a number, for logs and for stores that hold only numbers.
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn greet(ws: &Socket) {
    ///     ws.send(format!("you are number {}", ws.id().as_u64()));
    /// }
    /// ```
    pub fn as_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_u64().fmt(f)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionId({self})")
    }
}
