//! Close codes, and the pair of code and reason that ends a connection.
//!
//! Owns what RFC 6455 section 7.4 says about codes. Which violation has which
//! code is the decoder's table, not this file's.

mod cause;

use std::fmt;

use bytestring::ByteString;

pub(crate) use cause::{Close, CloseCause, Visibility};

/// Says why a WebSocket connection ended, by the number of RFC 6455 section 7.4.
///
/// Any `u16` converts into one, so handlers can write the number itself:
///
/// ```
/// use harpia::CloseCode;
///
/// assert_eq!(CloseCode::from(1008), CloseCode::POLICY);
/// assert_eq!(CloseCode::POLICY, 1008);
/// assert_eq!(CloseCode::POLICY.to_string(), "1008");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server shuts down, or the page was left.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// 1003: a kind of data that is not accepted here, such as binary where text is wanted.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005: the peer closed without a code. Never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection was lost without a close frame. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that is not what its type promises, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: a rule of the application was broken.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message over the size limit.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: the server met a fault of its own.
    pub const INTERNAL: Self = Self(1011);
    /// 1012: the server restarts; come back in a moment.
    pub const RESTART: Self = Self(1012);
    /// 1013: the server is overloaded, or the peer reads too slowly; try again later.
    pub const TRY_AGAIN: Self = Self(1013);

    /// Returns the number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Says whether a close frame may carry this code (RFC 6455 section 7.4.2).
    ///
    /// 1004, 1005, 1006 and 1015 stand for something that never crosses the wire;
    /// 3000 to 4999 are for libraries and applications.
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl PartialEq<u16> for CloseCode {
    fn eq(&self, other: &u16) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A code with its reason: what a close frame carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CloseFrame {
    pub(crate) code: CloseCode,
    pub(crate) reason: ByteString,
}

impl CloseFrame {
    /// A reason longer than [`MAX_REASON`] bytes is cut at a character.
    pub(crate) fn new(code: CloseCode, reason: impl Into<ByteString>) -> Self {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON {
            let cut = (0..=MAX_REASON)
                .rev()
                .find(|&at| reason.is_char_boundary(at))
                .unwrap_or(0);
            reason = reason.split_at(cut).0;
        }
        Self { code, reason }
    }

    pub(crate) fn bare(code: CloseCode) -> Self {
        Self {
            code,
            reason: ByteString::new(),
        }
    }
}

/// A control frame holds 125 bytes, two of which are the code (RFC 6455 section 5.5).
pub(crate) const MAX_REASON: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_stand_for_no_frame_are_not_sendable() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            assert!(!CloseCode(code).is_sendable(), "{code}");
        }
        for code in [1000, 1003, 1007, 1013, 3000, 4999] {
            assert!(CloseCode(code).is_sendable(), "{code}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let frame = CloseFrame::new(CloseCode::NORMAL, "ä".repeat(100));
        assert_eq!(frame.reason.len(), 122);
    }
}
