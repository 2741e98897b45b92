//! Bounds on what all connections of a server hold together, whatever each may hold by itself.
//!
//! A [`Budget`] counts; a [`Charge`] is one holder's part of it, given back when it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts bytes that are held, all together, against a limit.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: usize,
    /// How many messages were left out for want of room, in one holder's share or in all.
    skipped: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
            skipped: AtomicU64::new(0),
        }
    }

    pub(crate) fn count_skipped(&self, messages: usize) {
        self.skipped.fetch_add(messages as u64, Ordering::Relaxed);
    }

    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Says whether nothing more should be begun.
    pub(crate) fn is_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.limit
    }
}

/// One holder's part of a budget.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Charge {
    /// Begins with nothing.
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, bytes: 0 }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes so many bytes more, if they fit.
    pub(crate) fn try_add(&mut self, bytes: usize) -> bool {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.budget.limit;
        if fits {
            self.bytes += bytes;
        } else {
            self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Counts against another budget from here on, if that has room; else against the same.
    pub(crate) fn move_to(&mut self, budget: &Arc<Budget>) {
        let mut moved = Self::new(Arc::clone(budget));
        if moved.try_add(self.bytes) {
            *self = moved;
        }
    }

    /// Takes so many bytes more, over the limit too.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives so many bytes back, of those that were taken.
    pub(crate) fn subtract(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }
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
    fn holders_share_one_limit_and_give_back_when_dropped() {
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
    fn what_moves_to_another_budget_is_given_back_to_the_first() {
        let [first, second] = [100, 50].map(|limit| Arc::new(Budget::new(limit)));
        let mut charge = Charge::new(Arc::clone(&first));
        assert!(charge.try_add(50));
        charge.move_to(&second);
        assert!(second.is_spent());
        assert!(Charge::new(Arc::clone(&first)).try_add(100));
    }

    #[test]
    fn what_finds_no_room_in_another_budget_stays() {
        let [first, second] = [100, 50].map(|limit| Arc::new(Budget::new(limit)));
        let mut charge = Charge::new(Arc::clone(&first));
        assert!(charge.try_add(100));
        charge.move_to(&second);
        assert!(first.is_spent());
        assert!(Charge::new(second).try_add(50));
    }

    #[test]
    fn what_must_be_held_goes_over_the_limit_and_counts() {
        let budget = Arc::new(Budget::new(10));
        let mut charge = Charge::new(Arc::clone(&budget));
        charge.add(25);
        charge.subtract(20);
        assert!(!budget.is_spent());
        assert!(!charge.try_add(6));
    }
}
