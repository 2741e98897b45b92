//! What a peer can do wrong, and the one table of close codes for it.

use crate::close::CloseCode;
use crate::error::Error;

/// A rule of RFC 6455, or a limit, that a peer broke.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Violation {
    /// Section 5.1: a client must mask.
    Unmasked,
    /// Section 5.2: reserved bits are for extensions, and none was agreed on.
    ReservedBits,
    /// Section 5.2.
    ReservedOpcode,
    /// Section 5.2: lengths are written in the fewest bytes.
    LongLength,
    /// Section 5.2: the high bit of a 64-bit length is 0.
    LengthHighBit,
    /// Section 5.4.
    FragmentedControl,
    /// Section 5.5.
    LongControl,
    /// Section 5.4: fragments of two messages are not interleaved.
    MessageInMessage,
    /// Section 5.4.
    NothingToContinue,
    /// Section 5.5.1: a close frame is empty or begins with a code.
    HalfCloseCode,
    /// Section 7.4.
    CloseCode,
    /// Section 5.5.1.
    CloseReason,
    /// Section 8.1.
    Utf8,
    /// RFC 7692: compressed data that is no deflate stream.
    Compressed,
    /// The route's `max_message`.
    TooBig,
    /// The peer's fault only by its share: all peers' unfinished input together is too much.
    Overload,
}

impl Violation {
    /// The one table of close codes (RFC 6455 section 7.4.1).
    pub(crate) fn code(self) -> CloseCode {
        match self {
            Self::Unmasked
            | Self::ReservedBits
            | Self::ReservedOpcode
            | Self::LongLength
            | Self::LengthHighBit
            | Self::FragmentedControl
            | Self::LongControl
            | Self::MessageInMessage
            | Self::NothingToContinue
            | Self::HalfCloseCode
            | Self::CloseCode => CloseCode::PROTOCOL,
            Self::CloseReason | Self::Utf8 | Self::Compressed => CloseCode::INVALID_DATA,
            Self::TooBig => CloseCode::TOO_BIG,
            Self::Overload => CloseCode::TRY_AGAIN,
        }
    }

    /// What the peer is told, as the close frame's reason.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Unmasked => "frame is not masked",
            Self::ReservedBits => "reserved bit is set",
            Self::ReservedOpcode => "reserved opcode",
            Self::LongLength => "length is not minimal",
            Self::LengthHighBit => "high bit of length is set",
            Self::FragmentedControl => "control frame is fragmented",
            Self::LongControl => "control frame is over 125 bytes",
            Self::MessageInMessage => "message begun inside another",
            Self::NothingToContinue => "continuation without a message",
            Self::HalfCloseCode => "close frame with half a code",
            Self::CloseCode => "invalid close code",
            Self::CloseReason => "close reason is not UTF-8",
            Self::Utf8 => "text is not UTF-8",
            Self::Compressed => "compressed data is damaged",
            Self::TooBig => "message is too big",
            Self::Overload => "server has no memory for more input",
        }
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Protocol {
            code: violation.code(),
            rule: violation.rule(),
        }
    }
}
