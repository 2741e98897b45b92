//! Bounds on the bytes that all connections of a server hold together.
//!
//! A [`Budget`] counts bytes against a limit. A [`Charge`] is one holder's share of a budget, which
//! returns its bytes when it is dropped. Limits of one connection are not kept here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;

/// Counts the bytes that all holders have, against a limit.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: AtomicUsize,
    /// How many messages were skipped because one holder's share or the whole budget was full.
    skipped: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            skipped: AtomicU64::new(0),
        }
    }

    pub(crate) fn count_skipped(&self, messages: usize) {
        self.skipped.fetch_add(messages as u64, Ordering::Relaxed);
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Returns whether the limit is reached.
    pub(crate) fn is_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit()
    }

    /// Returns whether half of the limit is reached.
    pub(crate) fn is_scarce(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit() / 2
    }

    /// Returns whether a tenth of the budget is free again, after it was spent.
    pub(crate) fn is_relieved(&self) -> bool {
        let limit = self.limit();
        self.used.load(Ordering::Relaxed) < limit - limit / 10
    }

    /// Returns whether the limit is exceeded so far that nothing more may be added.
    ///
    /// Holders may exceed the limit for a moment, until the ones that have held their bytes for
    /// longest are ended. This is the bound on what they can add in that moment.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit().saturating_mul(2)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }
}

/// One holder's share of a budget.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    /// Makes an empty share.
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, bytes: 0 }
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds bytes to this share if the budget has room for them, and returns whether it has.
    ///
    /// The budget never counts bytes that did not fit, not even for a moment: another holder might
    /// be refused because of them.
    pub(crate) fn try_add(&mut self, bytes: usize) -> bool {
        let limit = self.budget.limit();
        let add = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= limit);
        let added = self
            .budget
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        if added.is_ok() {
            self.bytes += bytes;
        }
        added.is_ok()
    }

    /// Moves this share to another budget. Without room there, the share stays where it is.
    pub(crate) fn move_to(&mut self, budget: &Arc<Budget>) {
        let mut moved = Self::new(Arc::clone(budget));
        if moved.try_add(self.bytes) {
            *self = moved;
        }
    }

    /// Adds bytes to this share, even above the limit.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns bytes of this share to the budget.
    pub(crate) fn subtract(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What charged bytes take besides themselves: two blocks for the bytes and for their owner.
///
/// Without it, a flood of small messages would take several times the budget.
pub(crate) const HOLDER: usize = 128;

/// Bytes whose memory counts in a budget until the last reference to them is dropped.
///
/// Many holders can refer to the same bytes, which count once.
pub(crate) fn charged(bytes: Bytes, budget: &Arc<Budget>) -> Bytes {
    struct Charged {
        bytes: Bytes,
        _charge: Charge,
    }
    impl AsRef<[u8]> for Charged {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }
    let mut charge = Charge::new(Arc::clone(budget));
    charge.add(bytes.len() + HOLDER);
    Bytes::from_owner(Charged {
        bytes,
        _charge: charge,
    })
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_share_one_limit_and_return_their_bytes_when_dropped() {
        let budget = Arc::new(Budget::new(100));
        let mut first = Charge::new(Arc::clone(&budget));
        let mut second = Charge::new(Arc::clone(&budget));
        assert!(first.try_add(60));
        assert!(!second.try_add(41));
        assert!(second.try_add(40));
        assert!(budget.is_spent());
        drop(first);
        assert!(!budget.is_spent());
        assert!(second.try_add(60));
        assert_eq!(second.bytes(), 100);
    }

    #[test]
    fn a_moved_share_is_returned_to_the_first_budget() {
        let [first, second] = [100, 50].map(|limit| Arc::new(Budget::new(limit)));
        let mut charge = Charge::new(Arc::clone(&first));
        assert!(charge.try_add(50));
        charge.move_to(&second);
        assert!(second.is_spent());
        assert!(Charge::new(Arc::clone(&first)).try_add(100));
    }

    #[test]
    fn a_share_without_room_in_another_budget_stays_in_the_first() {
        let [first, second] = [100, 50].map(|limit| Arc::new(Budget::new(limit)));
        let mut charge = Charge::new(Arc::clone(&first));
        assert!(charge.try_add(100));
        charge.move_to(&second);
        assert!(first.is_spent());
        assert!(Charge::new(second).try_add(50));
    }

    #[test]
    fn charged_bytes_count_once_until_the_last_reference_is_dropped() {
        let budget = Arc::new(Budget::new(100 + HOLDER));
        let bytes = charged(Bytes::from(vec![7; 100]), &budget);
        let [start, end] = [bytes.slice(..1), bytes.slice(99..)];
        drop(bytes);
        assert!(budget.is_spent() && !budget.is_exhausted());
        drop(start);
        assert_eq!(end, [7][..]);
        assert!(budget.is_spent());
        drop(end);
        assert!(budget.is_relieved());
    }

    #[test]
    fn added_bytes_count_even_above_the_limit() {
        let budget = Arc::new(Budget::new(10));
        let mut charge = Charge::new(Arc::clone(&budget));
        charge.add(25);
        charge.subtract(20);
        assert!(!budget.is_spent());
        assert!(!charge.try_add(6));
    }
}
