//! Control frames: pings and pongs overtake queued messages; the close frame comes after them.

use std::io::IoSlice;

use bytes::Bytes;

use crate::close::CloseFrame;
use crate::protocol::frame;
use crate::sync::MutexGuard;

use super::outbox::Outbox;
use super::{Transport, TransportState, WriteState};

impl Transport {
    /// Answers a ping. Of several pongs that wait, only the newest is kept.
    ///
    /// RFC 6455 section 5.5.3 allows this.
    pub(crate) fn pong(&self, payload: &[u8]) {
        let frame = frame::encode_pong(payload);
        self.control(frame, |outbox, frame| outbox.set_control(frame));
    }

    /// Sends a ping, to find out whether the peer still responds.
    ///
    /// If a control frame already waits, no ping is added: a pong must not be replaced.
    pub(crate) fn ping(&self) {
        let frame = frame::encode_ping();
        self.control(frame, |outbox, frame| {
            if !outbox.has_control() {
                outbox.set_control(frame);
            }
        });
    }

    /// Sends a control frame. If the transport is blocked, `wait` adds the frame to the outbox.
    fn control(&self, frame: Bytes, wait: impl FnOnce(&mut Outbox, Bytes)) {
        let mut state = self.write_cork_and_lock();
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

    /// Sends the close frame after all queued messages. No frame can be sent after it.
    pub(crate) fn send_close(&self, frame: &CloseFrame) {
        self.queue_close_frame(self.write_cork_and_lock(), frame);
    }

    /// Sends the close frame in place of the queued messages.
    ///
    /// A frame that is partly written is completed first. A corked frame still goes out if the
    /// socket is not full.
    pub(crate) fn send_close_now(&self, frame: &CloseFrame) {
        let mut state = self.write_cork_and_lock();
        if !state.close_queued
            && let WriteState::Blocked(outbox) = &mut state.write_state
        {
            outbox.drop_queue();
        }
        self.queue_close_frame(state, frame);
    }

    /// Writes or queues the close frame, unless one was queued before. Wakes the task.
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
