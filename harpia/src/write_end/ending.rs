//! What others may ask of a connection: to end, and how.

use crate::close::{CloseCode, Closing};

/// Why a connection ends when it is not its own doing.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// A handler, a `Peer` or the hub closed it.
    Close(Closing),
    /// Its backlog was full; the close frame is on its way.
    Slow(Closing),
    /// Nothing was heard from the peer for too long.
    Idle,
    /// The server shuts down.
    Shutdown,
    /// The socket failed.
    Lost,
}

impl Ending {
    /// The code and reason that the `close` handler is told.
    pub(crate) fn closing(&self) -> Closing {
        match self {
            Self::Close(closing) | Self::Slow(closing) => closing.clone(),
            Self::Idle => Closing::new(CloseCode::GOING_AWAY, "Idle Timeout"),
            Self::Shutdown => Closing::new(CloseCode::GOING_AWAY, "Server Shutdown"),
            Self::Lost => Closing::bare(CloseCode::ABNORMAL),
        }
    }
}
