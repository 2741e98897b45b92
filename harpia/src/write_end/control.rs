//! Control frames: pings and pongs, which pass what waits, and the close frame, which ends it all.

use std::io::IoSlice;

use bytes::Bytes;

use crate::close::Closing;
use crate::protocol::frame;
use crate::sync::MutexGuard;

use super::outbox::Outbox;
use super::{Stage, State, WriteEnd};

impl WriteEnd {
    /// Answers a ping. Of several that wait only the newest is kept (RFC 6455 section 5.5.3).
    pub(crate) fn pong(&self, payload: &[u8]) {
        let frame = frame::encode_pong(payload);
        self.control(frame, |outbox, frame| outbox.set_control(frame));
    }

    /// Asks for a sign of life. Where a pong waits already, its acknowledgement will be one.
    pub(crate) fn ping(&self) {
        let frame = frame::encode_ping();
        self.control(frame, |outbox, frame| {
            if !outbox.has_control() {
                outbox.set_control(frame);
            }
        });
    }

    /// Sends a control frame, or has it wait ahead of the data.
    fn control(&self, frame: Bytes, wait: impl FnOnce(&mut Outbox, Bytes)) {
        let mut state = self.lock_behind_cork();
        if state.sealed {
            return;
        }
        match &mut state.stage {
            Stage::Open => match self.write(&[IoSlice::new(&frame)], frame.len()) {
                Ok(written) if written == frame.len() => {}
                Ok(written) => {
                    self.block(state, frame, written);
                }
                Err(_) => {
                    self.lose(state);
                }
            },
            Stage::Blocked(outbox) => wait(outbox, frame),
            Stage::Closed => {}
        }
    }

    /// Sends the close frame behind all that is queued. Nothing can be sent after it.
    pub(crate) fn finish(&self, closing: &Closing) {
        self.seal(self.lock_behind_cork(), closing);
    }

    /// Sends the close frame in place of what is queued, except the frame under way.
    pub(crate) fn fail(&self, closing: &Closing) {
        // What was answered before goes out.
        let mut state = self.lock_behind_cork();
        if !state.sealed
            && let Stage::Blocked(outbox) = &mut state.stage
        {
            outbox.drop_queue();
        }
        self.seal(state, closing);
    }

    pub(super) fn seal(&self, mut state: MutexGuard<'_, State>, closing: &Closing) {
        if state.sealed {
            return self.wake(state);
        }
        let frame = frame::encode_close(closing);
        state.sealed = true;
        match &mut state.stage {
            Stage::Open => match self.write(&[IoSlice::new(&frame)], frame.len()) {
                Ok(written) if written == frame.len() => self.wake(state),
                Ok(written) => {
                    self.block(state, frame, written);
                }
                Err(_) => {
                    self.lose(state);
                }
            },
            Stage::Blocked(outbox) => {
                outbox.push_unbounded(frame);
                self.wake(state);
            }
            Stage::Closed => self.wake(state),
        }
    }
}
