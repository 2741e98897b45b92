//! The state of a connection that closes: its close frame, its times, and its peer's input.

use std::time::Duration;

use crate::clock::ticks;
use crate::close::CloseFrame;
use crate::limits::MAX_CLOSE_INPUT;
use crate::protocol::{Skip, Skipped};

/// The state of a connection from the decision to close it. Boxed, since most connections are open.
pub(super) struct Closing {
    /// The frame that the `close` handler gets. It is taken when the handler is called.
    pub(super) frame: Option<CloseFrame>,
    /// The tick in which the connection has left the hub.
    pub(super) began: u32,
    /// The tick in which the kernel got the last byte. `None` until then.
    pub(super) written: Option<u32>,
    pub(super) input: ClosingInput,
    /// How many bytes were discarded.
    discarded: u64,
}

/// How the peer's input is read while the connection closes.
#[derive(Debug)]
pub(super) enum ClosingInput {
    /// Frames are skipped, up to the peer's close frame.
    Skipping(Skip),
    /// Nothing is parsed: the peer has broken the protocol (RFC 6455 section 7.1.7), or has sent
    /// its close frame.
    Ignored { has_close: bool },
    /// The peer has closed its side, or the socket has failed.
    Ended,
}

impl Closing {
    pub(super) fn new(frame: CloseFrame) -> Self {
        Self {
            frame: Some(frame),
            began: 0,
            written: None,
            input: ClosingInput::Skipping(Skip::default()),
            discarded: 0,
        }
    }

    /// Takes bytes of the peer. Returns whether the peer has sent too many.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        self.discarded = self.discarded.saturating_add(bytes.len() as u64);
        if let ClosingInput::Skipping(skip) = &mut self.input {
            match skip.take(bytes) {
                Skipped::More => {}
                Skipped::Close => self.input = ClosingInput::Ignored { has_close: true },
                Skipped::Violation => self.input = ClosingInput::Ignored { has_close: false },
            }
        }
        self.discarded > MAX_CLOSE_INPUT
    }

    /// Returns whether the peer has sent its close frame.
    pub(super) fn has_peer_closed(&self) -> bool {
        matches!(self.input, ClosingInput::Ignored { has_close: true })
    }

    /// Returns whether the peer's close frame may still come. If not, the server may end its side.
    pub(super) fn expects_close_frame(&self) -> bool {
        matches!(self.input, ClosingInput::Skipping(_))
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.input, ClosingInput::Ended)
    }

    /// Returns whether this time has passed since the connection left the hub.
    pub(super) fn has_lasted(&self, now: u32, time: Duration) -> bool {
        now.saturating_sub(self.began) >= ticks(time)
    }

    /// Returns whether this time has passed since the last byte was written.
    pub(super) fn was_written_before(&self, now: u32, time: Duration) -> bool {
        let since = |written| now.saturating_sub(written) >= ticks(time);
        self.written.is_some_and(since)
    }
}
