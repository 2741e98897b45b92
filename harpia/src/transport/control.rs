//! Control frames: pings and pongs, which pass what waits, and the close frame, which ends it all.

use std::io::IoSlice;

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::protocol::frame;
use crate::sync::MutexGuard;

use super::outbox::Outbox;
use super::{Transport, TransportState, WriteState};

impl Transport {
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
        if state.close_queued {
            return;
        }
        match &mut state.write_state {
            WriteState::Open => match self.write(&[IoSlice::new(&frame)], frame.len()) {
                Ok(written) if written == frame.len() => {}
                Ok(written) => {
                    self.block(state, frame, written);
                }
                Err(_) => {
                    self.mark_lost(state);
                }
            },
            WriteState::Blocked(outbox) => wait(outbox, frame),
            WriteState::Closed => {}
        }
    }

    /// Sends the close frame behind all that is queued. Nothing can be sent after it.
    pub(crate) fn send_close(&self, frame: &CloseFrame) {
        self.queue_close_frame(self.lock_behind_cork(), frame);
    }

    /// Sends the close frame in place of what is queued, except the frame under way.
    pub(crate) fn send_close_now(&self, frame: &CloseFrame) {
        // What was answered before goes out.
        let mut state = self.lock_behind_cork();
        if !state.close_queued
            && let WriteState::Blocked(outbox) = &mut state.write_state
        {
            outbox.drop_queue();
        }
        self.queue_close_frame(state, frame);
    }

    pub(super) fn queue_close_frame(
        &self,
        mut state: MutexGuard<'_, TransportState>,
        frame: &CloseFrame,
    ) {
        if state.close_queued {
            return self.wake(state);
        }
        let frame = frame::encode_close(frame);
        state.close_queued = true;
        match &mut state.write_state {
            WriteState::Open => match self.write(&[IoSlice::new(&frame)], frame.len()) {
                Ok(written) if written == frame.len() => self.wake(state),
                Ok(written) => {
                    self.block(state, frame, written);
                }
                Err(_) => {
                    self.mark_lost(state);
                }
            },
            WriteState::Blocked(outbox) => {
                outbox.push_unbounded(frame);
                self.wake(state);
            }
            WriteState::Closed => self.wake(state),
        }
    }
}
