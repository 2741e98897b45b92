//! Heads of frames, and the checks that need only the head.

use fastwebsockets::OpCode;

use crate::protocol::Violation;

/// The longest head of a masked frame, in bytes.
pub(super) const MAX_HEAD: usize = 14;

/// The longest payload of a control frame, in bytes (RFC 6455 section 5.5).
pub(super) const MAX_CONTROL: u64 = 125;

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) fin: bool,
    pub(super) compressed: bool,
    pub(super) opcode: OpCode,
    pub(super) mask: [u8; 4],
    /// The length of the payload, in bytes.
    pub(super) payload: u64,
    /// The length of the head itself, in bytes.
    pub(super) len: usize,
}

impl Head {
    /// Reads a head, or returns `None` if it is incomplete.
    ///
    /// A violation is found as soon as its bytes have arrived, even if the head is incomplete.
    pub(super) fn parse(input: &[u8], deflate: bool) -> Result<Option<Self>, Violation> {
        let Some(&first) = input.first() else {
            return Ok(None);
        };
        let fin = first & 0x80 != 0;
        let opcode = OpCode::try_from(first & 0x0f).map_err(|_| Violation::ReservedOpcode);
        let begins_message = matches!(opcode, Ok(OpCode::Text | OpCode::Binary));
        let reserved = if deflate && begins_message {
            0x30
        } else {
            0x70
        };
        if first & reserved != 0 {
            return Err(Violation::ReservedBits);
        }
        let opcode = opcode?;
        let is_control = is_control(opcode);
        if is_control && !fin {
            return Err(Violation::FragmentedControl);
        }
        let Some(&second) = input.get(1) else {
            return Ok(None);
        };
        if second & 0x80 == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & 0x7f;
        if is_control && u64::from(short) > MAX_CONTROL {
            return Err(Violation::LongControl);
        }
        let Some((payload, at)) = length(input, short)? else {
            return Ok(None);
        };
        let Some(mask) = input.get(at..).and_then(|rest| rest.first_chunk()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            fin,
            compressed: first & 0x40 != 0,
            opcode,
            mask: *mask,
            payload,
            len: at + mask.len(),
        }))
    }

    pub(super) fn is_control(&self) -> bool {
        is_control(self.opcode)
    }

    /// Checks that a frame outside a message does not continue one.
    pub(super) fn check_begins(&self) -> Result<(), Violation> {
        match self.opcode {
            OpCode::Continuation => Err(Violation::NothingToContinue),
            _ => Ok(()),
        }
    }
}

/// Reads the length of the payload, and the position after it.
fn length(input: &[u8], short: u8) -> Result<Option<(u64, usize)>, Violation> {
    let (length, end, least) = match short {
        126 => match input.get(2..).and_then(|rest| rest.first_chunk()) {
            Some(bytes) => (u64::from(u16::from_be_bytes(*bytes)), 4, 126),
            None => return Ok(None),
        },
        127 => {
            if input.get(2).is_some_and(|byte| byte & 0x80 != 0) {
                return Err(Violation::LengthHighBit);
            }
            match input.get(2..).and_then(|rest| rest.first_chunk()) {
                Some(bytes) => (u64::from_be_bytes(*bytes), 10, 65_536),
                None => return Ok(None),
            }
        }
        short => (u64::from(short), 2, 0),
    };
    if length < least {
        return Err(Violation::LongLength);
    }
    Ok(Some((length, end)))
}

fn is_control(opcode: OpCode) -> bool {
    matches!(opcode, OpCode::Close | OpCode::Ping | OpCode::Pong)
}
