//! Control frames: pings and pongs, which pass what waits, and the close frame, which ends it all.

use std::io::IoSlice;

use bytes::Bytes;

use crate::close::Closing;
use crate::protocol::frame;

use super::{Stage, WriteEnd};

impl WriteEnd {
    /// Answers a ping. Of several that wait only the newest is kept (RFC 6455 section 5.5.3).
    pub(crate) fn pong(&self, payload: &[u8]) {
        self.control(frame::encode_pong(payload));
    }

    pub(crate) fn ping(&self) {
        self.control(frame::encode_ping());
    }

    /// Sends a control frame ahead of the data that waits.
    fn control(&self, frame: Bytes) {
        let mut state = self.lock();
        if state.sealed {
            return;
        }
        if state.holds() {
            self.write_cork(state);
            state = self.lock();
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
            Stage::Blocked(outbox) => outbox.set_control(frame),
            Stage::Closed => {}
        }
    }

    /// Sends the close frame behind all that is queued. Nothing can be sent after it.
    pub(crate) fn finish(&self, closing: &Closing) {
        let mut state = self.lock();
        if state.sealed {
            return self.wake(state);
        }
        if state.holds() {
            self.write_cork(state);
            state = self.lock();
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

    /// Sends the close frame in place of what is queued, except the frame under way.
    pub(crate) fn fail(&self, closing: &Closing) {
        let mut state = self.lock();
        if state.sealed {
            return self.wake(state);
        }
        if let Stage::Blocked(outbox) = &mut state.stage {
            outbox.drop_queue();
        }
        drop(state);
        self.finish(closing);
    }
}
