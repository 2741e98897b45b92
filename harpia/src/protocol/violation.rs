//! The rules that a peer can break, with the close code for each.

use crate::close::CloseCode;
use crate::error::Error;

/// A rule or limit that a peer broke. Sections without an RFC are those of RFC 6455.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Violation {
    /// Section 5.1: a client must mask its frames.
    Unmasked,
    /// Section 5.2: a reserved bit is set, and no extension that uses it was agreed on.
    ReservedBits,
    /// Section 5.2: the opcode is reserved.
    ReservedOpcode,
    /// Section 5.2: a length must be encoded in the fewest bytes.
    LongLength,
    /// Section 5.2: the high bit of a 64-bit length must be 0.
    LengthHighBit,
    /// Section 5.4: a control frame must not be fragmented.
    FragmentedControl,
    /// Section 5.5: the payload of a control frame has at most 125 bytes.
    LongControl,
    /// Section 5.4: the fragments of two messages must not be interleaved.
    MessageInMessage,
    /// Section 5.4: a continuation frame came outside a message.
    NothingToContinue,
    /// Section 5.5.1: the payload of a close frame has a single byte.
    HalfCloseCode,
    /// Section 7.4: the code must not be sent.
    CloseCode,
    /// Section 5.5.1: the reason is not UTF-8.
    CloseReason,
    /// Section 8.1: a text message is not UTF-8.
    Utf8,
    /// RFC 7692: the compressed data is not a valid deflate stream.
    Compressed,
    /// The message is larger than the route's `max_message`.
    TooBig,
    /// The unfinished input of all peers together exceeds its budget, even if each peer is within
    /// its own limits.
    Overload,
}

impl Violation {
    /// Returns the close code (section 7.4.1).
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

    /// Returns the reason in the close frame.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Unmasked => "Frame Not Masked",
            Self::ReservedBits => "Reserved Bit Set",
            Self::ReservedOpcode => "Reserved Opcode",
            Self::LongLength => "Length Not Minimal",
            Self::LengthHighBit => "Length Too Large",
            Self::FragmentedControl => "Fragmented Control Frame",
            Self::LongControl => "Control Frame Over 125 Bytes",
            Self::MessageInMessage => "Message Inside Another",
            Self::NothingToContinue => "Continuation Without Message",
            Self::HalfCloseCode => "Half A Close Code",
            Self::CloseCode => "Invalid Close Code",
            Self::CloseReason => "Close Reason Not UTF-8",
            Self::Utf8 => "Text Not UTF-8",
            Self::Compressed => "Damaged Compressed Data",
            Self::TooBig => "Message Too Big",
            Self::Overload => "Server Overloaded",
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
