//! The value of a session in its store: the time at which the session was made, and its data.
//!
//! The time is in milliseconds since 1970, since a store may outlive the server. Rotating a session
//! keeps its value, and so its time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// A session's value, read from the store.
pub(super) struct Stamped<'a> {
    /// When the session was made, in milliseconds since 1970.
    pub(super) made: u64,
    pub(super) data: &'a [u8],
}

impl<'a> Stamped<'a> {
    /// Reads a value. Returns `None` if it has no time.
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let end = value.iter().position(|byte| *byte == b' ')?;
        let (time, data) = (&value[..end], &value[end + 1..]);
        let made = std::str::from_utf8(time).ok()?.parse().ok()?;
        Some(Self { made, data })
    }

    /// Makes the value for a store.
    pub(super) fn to_value(&self) -> Bytes {
        let mut value = self.made.to_string().into_bytes();
        value.push(b' ');
        value.extend_from_slice(self.data);
        value.into()
    }

    /// Returns whether the session is as old as it may become.
    pub(super) fn is_over(&self, max_age: Duration, now: u64) -> bool {
        u128::from(now.saturating_sub(self.made)) >= max_age.as_millis()
    }
}

/// Returns the time in milliseconds since 1970.
pub(super) fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    let milliseconds = elapsed.unwrap_or_default().as_millis();
    u64::try_from(milliseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_time_and_its_data() {
        let data = b"{\"name\": \"Ada Lovelace\"}".as_slice();
        let value = Stamped { made: 1_234, data }.to_value();
        let read = Stamped::read(&value).expect("a value");
        assert_eq!((read.made, read.data), (1_234, data));
        assert!(!read.is_over(Duration::from_millis(100), 1_333));
        assert!(read.is_over(Duration::from_millis(100), 1_334));
        // The clock was set back.
        assert!(!read.is_over(Duration::from_millis(100), 0));
    }

    #[test]
    fn a_value_without_a_time_is_not_read() {
        for value in [&b""[..], b"{}", b"{} {}", b"-1 {}", b" {}"] {
            assert!(Stamped::read(value).is_none(), "{}", value.escape_ascii());
        }
    }
}
