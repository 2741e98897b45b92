//! Validation of UTF-8 in pieces. A mistake is found at its first wrong byte, however the input is
//! split.

/// The state of a text that is still incomplete.
#[derive(Debug, Default)]
pub(super) struct Validator {
    /// The bytes of an incomplete character: at most three between two pieces.
    partial: [u8; 4],
    len: usize,
}

/// The text is not UTF-8, whatever follows.
#[derive(Debug)]
pub(super) struct Invalid;

impl Validator {
    /// Checks the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), Invalid> {
        while self.len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else {
                return Ok(());
            };
            bytes = rest;
            self.partial[self.len] = byte;
            self.len += 1;
            match simdutf8::compat::from_utf8(&self.partial[..self.len]) {
                Ok(_) => self.len = 0,
                // Four bytes are always valid or invalid, so a fifth is never stored.
                Err(error) if error.error_len().is_some() => return Err(Invalid),
                Err(_) => {}
            }
        }
        match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(Invalid),
            Err(error) => {
                let tail = &bytes[error.valid_up_to()..];
                self.partial[..tail.len()].copy_from_slice(tail);
                self.len = tail.len();
                Ok(())
            }
        }
    }

    /// Returns whether the text ends with a whole character.
    pub(super) fn is_whole(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Makes bytes that are nearly UTF-8, since random bytes would fail at once.
    fn nearly_text() -> impl Strategy<Value = Vec<u8>> {
        let text = any::<String>().prop_map(String::into_bytes);
        let broken = (any::<String>(), any::<prop::sample::Index>(), any::<u8>());
        let broken = broken.prop_map(|(text, at, byte)| {
            let mut bytes = text.into_bytes();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        });
        prop_oneof![text, broken, vec(any::<u8>(), 0..8)]
    }

    proptest! {
        #[test]
        fn each_byte_gets_the_verdict_of_std_on_the_bytes_up_to_it(bytes in nearly_text()) {
            let mut validator = Validator::default();
            for (at, byte) in bytes.iter().enumerate() {
                let expected = match std::str::from_utf8(&bytes[..=at]) {
                    Ok(_) => (true, true),
                    Err(error) => (error.error_len().is_none(), false),
                };
                let fed = validator.feed(&[*byte]).is_ok();
                prop_assert_eq!(fed, expected.0);
                if !fed {
                    break;
                }
                prop_assert_eq!(validator.is_whole(), expected.1);
            }
        }

        #[test]
        fn splits_do_not_change_the_verdict(bytes in nearly_text(), size in 1usize..9) {
            let mut whole = Validator::default();
            let mut split = Validator::default();
            let whole_result = whole.feed(&bytes).is_ok() && whole.is_whole();
            let split_result = bytes.chunks(size).all(|chunk| split.feed(chunk).is_ok());
            prop_assert_eq!(split_result && split.is_whole(), whole_result);
        }
    }
}
