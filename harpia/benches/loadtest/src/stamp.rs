//! What the payload of a message begins with: when it left, who sent it, its number.
//!
//! Hexadecimal, since it goes through servers that look at text; read without branches, since the
//! generator reads millions of them in a second.

use std::time::Instant;

/// Counts nanoseconds from the start of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn nanoseconds(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// The beginning of each payload that this program sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    /// On the sender's [`Clock`].
    pub(crate) sent_at: u64,
    pub(crate) sender: u32,
    /// Counts up from 0 for each sender.
    pub(crate) number: u32,
}

impl Stamp {
    /// Bytes of a stamp, so of the smallest payload.
    pub(crate) const SIZE: usize = 32;

    /// Overwrites the first bytes of a payload.
    ///
    /// # Panics
    ///
    /// If the payload is shorter than a stamp.
    pub(crate) fn write(self, payload: &mut [u8]) {
        let low = u64::from(self.sender) << 32 | u64::from(self.number);
        let mut digits = u128::from(self.sent_at) << 64 | u128::from(low);
        for byte in payload[..Self::SIZE].iter_mut().rev() {
            *byte = b"0123456789abcdef"[(digits & 0xf) as usize];
            digits >>= 4;
        }
    }

    /// Reads it back. A payload of another size is another's message.
    pub(crate) fn read(payload: &[u8], size: usize) -> Option<Self> {
        if payload.len() != size {
            return None;
        }
        let (digits, _) = payload.as_chunks::<8>();
        let &[high, low, sender, number, ..] = digits else {
            return None;
        };
        Some(Self {
            sent_at: u64::from(number_of(high)) << 32 | u64::from(number_of(low)),
            sender: number_of(sender),
            number: number_of(number),
        })
    }
}

/// Eight digits at once: each byte to its value, then neighbours joined three times.
fn number_of(digits: [u8; 8]) -> u32 {
    let digits = u64::from_be_bytes(digits);
    // A letter has bit 6 set and stands 9 before its value in the low four bits.
    let values = (digits & 0x0f0f_0f0f_0f0f_0f0f) + 9 * ((digits >> 6) & 0x0101_0101_0101_0101);
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (fours | fours >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        for (sent_at, sender, number) in [
            (0, 0, 0),
            (u64::MAX, u32::MAX, u32::MAX),
            (0x0123_4567_89ab_cdef, 0xfedc_ba98, 0x7654_3210),
        ] {
            let stamp = Stamp {
                sent_at,
                sender,
                number,
            };
            let mut payload = [b'x'; 40];
            stamp.write(&mut payload);
            assert_eq!(Stamp::read(&payload, 40), Some(stamp));
            assert_eq!(&payload[Stamp::SIZE..], b"xxxxxxxx");
        }
    }

    #[test]
    fn a_message_of_another_size_is_not_ours() {
        assert_eq!(Stamp::read(b"welcome", 64), None);
        assert_eq!(Stamp::read(b"welcome", 7), None);
    }
}
