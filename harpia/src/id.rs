//! The name of a connection within its server.

use std::fmt;

/// Names one connection of a server; never used again for another one.
///
/// ```
/// use harpia::prelude::*;
///
/// fn log(ws: &Socket) {
///     println!("{} is here", ws.id());
/// }
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId {
    generation: u32,
    slot: Slot,
}

/// A place in the hub's table; places are used again, ids are not.
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

    /// Returns the id as a number, to keep it where only numbers fit.
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
