//! The first bytes of each payload: when the message was sent, by which sender, and its number.
//!
//! A stamp is hexadecimal, so that it passes through servers that validate text. It is parsed
//! without branches, since the load generator parses millions of them per second.

use std::time::Instant;

/// A clock that counts nanoseconds from its start.
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

/// The first bytes of each payload that this program sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    /// Nanoseconds on the sender's [`Clock`].
    pub(crate) sent_at: u64,
    pub(crate) sender: u32,
    /// Counts up from 0 for each sender.
    pub(crate) number: u32,
}

impl Stamp {
    /// The size of a stamp, in bytes: the smallest size of a payload.
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

    /// Parses the stamp of a payload.
    ///
    /// Returns `None` if the payload has another size: this program did not send it.
    pub(crate) fn read(payload: &[u8], size: usize) -> Option<Self> {
        if payload.len() != size {
            return None;
        }
        let (digits, _) = payload.as_chunks::<8>();
        let &[high, low, sender, number, ..] = digits else {
            return None;
        };
        Some(Self {
            sent_at: u64::from(parse_hex(high)) << 32 | u64::from(parse_hex(low)),
            sender: parse_hex(sender),
            number: parse_hex(number),
        })
    }
}

/// Parses eight hexadecimal digits at once.
///
/// Converts each byte to its value, then joins neighbors three times.
fn parse_hex(digits: [u8; 8]) -> u32 {
    let digits = u64::from_be_bytes(digits);
    // A letter has bit 6 set. The low four bits of `a` are 1, so its value is 9 more.
    let values = (digits & 0x0f0f_0f0f_0f0f_0f0f) + 9 * ((digits >> 6) & 0x0101_0101_0101_0101);
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (fours | fours >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_stamp_reads_back_unchanged() {
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
    fn a_payload_of_another_size_has_no_stamp() {
        assert_eq!(Stamp::read(b"welcome", 64), None);
        assert_eq!(Stamp::read(b"welcome", 7), None);
    }
}
