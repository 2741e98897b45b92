//! Finds out whether a slow peer still reads.
//!
//! A slow download may take longer than `idle_timeout`, and a client that only downloads may send
//! nothing meanwhile. Such a client is not idle: its kernel still acknowledges bytes. A socket that
//! becomes writable again is too coarse a sign of that: on a link of 100 KB/s, this happened once
//! in 11 seconds. The hub's sweep therefore asks how many bytes the kernel still has for the peer.

use crate::sync::atomic::{AtomicU32, Ordering};

/// How much a peer must have to read, in bytes, for its progress to count.
///
/// 4 KiB: more than pings and a close frame. Even if a client program hangs, its kernel
/// acknowledges those, and the connection of such a program must be closed as idle.
const MIN_WAITING: u32 = 4096;

/// The bytes that one connection's peer has acknowledged. Only the hub's sweep updates this.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The bytes that the stream has taken, modulo 2^32. Changed under the transport's lock.
    written: AtomicU32,
    /// At the last look: `written`, less the bytes that the kernel still had.
    acknowledged: AtomicU32,
    /// At the last look: the bytes that waited for the peer.
    waiting: AtomicU32,
    /// The tick of the last progress.
    at: AtomicU32,
    /// The tick in which the sweep first found an outbox that waits, or 0 if there is none.
    blocked: AtomicU32,
}

impl Progress {
    pub(super) fn new(now: u32) -> Self {
        Self {
            written: AtomicU32::new(0),
            acknowledged: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            at: AtomicU32::new(now),
            blocked: AtomicU32::new(0),
        }
    }

    /// Records that the stream has taken bytes. The caller holds the transport's lock.
    #[inline]
    pub(super) fn wrote(&self, bytes: usize) {
        let written = self.written.load(Ordering::Relaxed);
        // Modulo 2^32, like the counter.
        let written = written.wrapping_add(bytes as u32);
        self.written.store(written, Ordering::Relaxed);
    }

    /// Compares with the last look. The kernel has `in_kernel` bytes for the peer, and `queued`
    /// bytes wait for the kernel.
    pub(super) fn look(&self, in_kernel: usize, queued: usize, now: u32) {
        let written = self.written.load(Ordering::Relaxed);
        let acknowledged = written.wrapping_sub(in_kernel as u32);
        let before = self.acknowledged.swap(acknowledged, Ordering::Relaxed);
        let waiting = u32::try_from(in_kernel + queued).unwrap_or(u32::MAX);
        let had = self.waiting.swap(waiting, Ordering::Relaxed);
        let has_grown = (acknowledged.wrapping_sub(before) as i32) > 0;
        if has_grown && had >= MIN_WAITING {
            self.at.store(now, Ordering::Relaxed);
        }
    }

    /// Notes whether an outbox waits now. Returns since when, as far as the sweep has seen it.
    pub(crate) fn blocked_since(&self, is_blocked: bool, now: u32) -> Option<u32> {
        let before = self.blocked.load(Ordering::Relaxed);
        let since = match (is_blocked, before) {
            (false, _) => 0,
            (true, 0) => now.max(1),
            (true, since) => since,
        };
        if since != before {
            self.blocked.store(since, Ordering::Relaxed);
        }
        is_blocked.then_some(since)
    }

    /// Returns the tick of the last look that found progress, or of the connection's start.
    pub(crate) fn at(&self) -> u32 {
        self.at.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 100_000;

    #[test]
    fn a_peer_that_acknowledges_bytes_makes_progress() {
        let progress = Progress::new(1);
        progress.wrote(MANY);
        progress.look(MANY, 0, 2);
        assert_eq!(progress.at(), 1, "nothing was acknowledged yet");
        progress.look(MANY - 1, 0, 3);
        assert_eq!(progress.at(), 3);
        progress.look(MANY - 1, 0, 4);
        assert_eq!(progress.at(), 3);
    }

    #[test]
    fn new_bytes_neither_count_as_progress_nor_hide_it() {
        let progress = Progress::new(1);
        progress.wrote(MANY);
        progress.look(MANY, 0, 2);
        progress.wrote(MANY);
        progress.look(2 * MANY, MANY, 3);
        assert_eq!(progress.at(), 1);
        progress.wrote(MANY);
        progress.look(3 * MANY - 1, 0, 4);
        assert_eq!(progress.at(), 4);
    }

    #[test]
    fn acknowledged_pings_do_not_count() {
        let progress = Progress::new(1);
        for now in 2..100 {
            progress.wrote(2);
            progress.look(2, 0, now);
            progress.look(0, 0, now);
        }
        assert_eq!(progress.at(), 1);
    }

    #[test]
    fn the_counter_may_wrap_around() {
        let progress = Progress::new(1);
        for now in 2..100 {
            progress.wrote(u32::MAX as usize / 16);
            progress.look(MANY, 0, now);
            assert!(now == 2 || progress.at() == now);
        }
    }
}
