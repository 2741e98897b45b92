//! Close codes, and close frames: a code with a reason.
//!
//! This file has the rules of RFC 6455 section 7.4 about codes. `protocol::violation` has the code
//! for each violation, and `cause` has the close frame for each reason that harpia itself has.

mod cause;

use std::fmt;

use bytestring::ByteString;

pub(crate) use cause::{Close, CloseCause, Visibility};

/// The code of a close frame: why a WebSocket connection ended (RFC 6455 section 7.4).
///
/// A `u16` converts into a code, so handlers can write the number itself:
///
/// ```
/// use harpia::prelude::*;
///
/// fn reject(ws: &Socket) {
///     ws.close(1008, "Unauthorized");                     // the same as
///     ws.close(CloseCode::POLICY, "Unauthorized");
/// }
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
    /// 1001: the server shuts down, or the user left the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// 1003: a kind of data that is not accepted, such as binary data instead of text.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005: the peer closed without a code. Never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection was lost without a close frame. Never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not match its type, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: a rule of the application was broken.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message over the size limit.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: the server failed.
    pub const INTERNAL: Self = Self(1011);
    /// 1012: the server restarts. The client should reconnect in a moment.
    pub const RESTART: Self = Self(1012);
    /// 1013: the server is overloaded, or the peer reads too slowly.
    ///
    /// The client should try again later.
    pub const TRY_AGAIN: Self = Self(1013);

    /// Returns the code as a number.
    ///
    /// ```
    /// assert_eq!(harpia::CloseCode::GOING_AWAY.as_u16(), 1001);
    /// ```
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// Returns whether a close frame may carry this code (RFC 6455 section 7.4.2).
    ///
    /// 1004, 1005, 1006 and 1015 are never sent: they describe a close without a code or without a
    /// frame. 3000 to 4999 are for libraries and applications.
    ///
    /// ```
    /// use harpia::CloseCode;
    ///
    /// assert!(CloseCode::from(4001).is_sendable());
    /// assert!(!CloseCode::ABNORMAL.is_sendable());
    /// ```
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

/// The payload of a close frame: a code and a reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct CloseFrame {
    pub(crate) code: CloseCode,
    pub(crate) reason: ByteString,
}

impl CloseFrame {
    /// Makes a close frame. A reason longer than [`MAX_REASON`] bytes is cut at a character.
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

    /// Makes a close frame without a reason.
    pub(crate) fn bare(code: CloseCode) -> Self {
        Self {
            code,
            reason: ByteString::new(),
        }
    }
}

/// The longest reason, in bytes: a control frame has 125, and the code takes 2 of them (RFC 6455
/// section 5.5).
pub(crate) const MAX_REASON: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_unassigned_codes_are_not_sendable() {
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
