//! How long a peer takes to complete a message.
//!
//! Times are in ticks (see `clock.rs`). They count only while the connection is read: a pause in
//! which the server does not read is not the peer's.

/// The age of unfinished input.
#[derive(Debug, Default)]
pub(crate) struct Age {
    /// The tick of the last look, or `None` if the connection was not read then.
    seen: Option<u32>,
    /// The time since the first look.
    total: u32,
    /// The time without a byte of the message.
    silent: u32,
    /// Whether bytes of the message have come since the last look.
    has_grown: bool,
}

impl Age {
    /// Notes that bytes of the message have come.
    pub(super) fn grow(&mut self) {
        self.has_grown = true;
    }

    /// Counts the time since the last look. `is_read` tells whether the connection is read from now
    /// on.
    pub(crate) fn look(&mut self, now: u32, is_read: bool) {
        let elapsed = self.seen.map_or(0, |seen| now.saturating_sub(seen));
        self.total = self.total.saturating_add(elapsed);
        self.silent = match self.has_grown {
            true => 0,
            false => self.silent.saturating_add(elapsed),
        };
        self.has_grown = false;
        self.seen = is_read.then_some(now);
    }

    /// Returns the time that is left until one of the limits is reached.
    pub(crate) fn left(&self, max_silent: u32, max_total: u32) -> u32 {
        let silent = max_silent.saturating_sub(self.silent);
        silent.min(max_total.saturating_sub(self.total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_restarts_the_time_without_a_byte_and_not_the_time_in_all() {
        let mut age = Age::default();
        for now in [100, 150, 200] {
            age.grow();
            age.look(now, true);
        }
        assert_eq!(age.left(60, 1000), 60);
        assert_eq!(age.left(60, 120), 20);
        age.look(250, true);
        assert_eq!(age.left(60, 1000), 10);
        age.look(260, true);
        assert_eq!(age.left(60, 1000), 0);
    }

    #[test]
    fn a_pause_in_which_the_connection_is_not_read_does_not_count() {
        let mut age = Age::default();
        age.look(100, true);
        age.look(110, false);
        age.look(900, true);
        assert_eq!(age.left(60, 60), 50);
        age.look(905, true);
        assert_eq!(age.left(60, 60), 45);
    }
}
