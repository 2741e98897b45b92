//! The id of a session: 128 random bits as text, which `Debug` hides.

use std::fmt;
use std::hint::black_box;

use super::SessionError;

const BYTES: usize = 16;
const LENGTH: usize = 2 * BYTES;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The id of a session: 128 bits from the random source of the operating system.
///
/// The id is a secret, since it gives access to the session. `Debug` hides it, there is no
/// `Display`, and two ids are compared in constant time. Text from a client becomes an id only if
/// it has the right form, so no other text reaches a store.
///
/// ```
/// use harpia::session::SessionId;
///
/// let id = SessionId::parse("0123456789abcdef0123456789abcdef").unwrap();
/// assert_eq!(id.as_str().len(), 32);
/// assert_eq!(format!("{id:?}"), "SessionId(…)");
/// assert!(SessionId::parse("../admin").is_none());
/// ```
#[derive(Clone)]
pub struct SessionId {
    /// Lowercase hexadecimal digits.
    digits: [u8; LENGTH],
}

impl SessionId {
    /// Makes a random id.
    pub(super) fn random() -> Result<Self, SessionError> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| SessionError::unavailable(error.to_string()))?;
        let mut digits = [0; LENGTH];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Ok(Self { digits })
    }

    /// Parses an id: exactly 32 lowercase hexadecimal digits.
    ///
    /// ```
    /// use harpia::session::SessionId;
    ///
    /// assert!(SessionId::parse("0123456789abcdef0123456789abcdef").is_some());
    /// assert!(SessionId::parse("0123456789ABCDEF0123456789ABCDEF").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let digits: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        let is_id = digits.iter().all(|digit| DIGITS.contains(digit));
        is_id.then_some(Self { digits })
    }

    /// Returns the id as text, as it is in the cookie. It is a secret.
    pub fn as_str(&self) -> &str {
        // Digits are ASCII, so the default is never used. It is not the id of any session.
        std::str::from_utf8(&self.digits).unwrap_or_default()
    }
}

/// Compares in constant time, so that the time does not reveal where two ids differ.
impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.digits.iter().zip(&other.digits);
        are_equal(pairs.map(|(one, other)| (*one, *other)))
    }
}

impl Eq for SessionId {}

/// Compares every pair, however early two differ.
fn are_equal(pairs: impl Iterator<Item = (u8, u8)>) -> bool {
    let difference = pairs.fold(0, |all, (one, other)| black_box(all | (one ^ other)));
    black_box(difference) == 0
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn random_ids_are_unique_and_parse_to_themselves() {
        let ids: Vec<_> = (0..10_000).map(|_| SessionId::random().unwrap()).collect();
        let texts: HashSet<_> = ids.iter().map(SessionId::as_str).collect();
        assert_eq!(texts.len(), ids.len());
        for id in &ids {
            assert_eq!(SessionId::parse(id.as_str()).as_ref(), Some(id));
        }
    }

    #[test]
    fn a_comparison_reads_every_digit_wherever_two_ids_differ() {
        let id = [b'0'; LENGTH];
        for at in (0..LENGTH).map(Some).chain([None]) {
            let mut other = id;
            if let Some(at) = at {
                other[at] = b'1';
            }
            let mut looks = 0;
            let pairs = id.into_iter().zip(other).inspect(|_| looks += 1);
            assert_eq!(are_equal(pairs), at.is_none());
            assert_eq!(looks, LENGTH);
        }
    }

    #[test]
    fn each_bit_is_random() {
        let mut ones = [0u32; LENGTH * 4];
        for _ in 0..1_000 {
            let id = SessionId::random().unwrap();
            for (at, digit) in id.digits.iter().enumerate() {
                let value = DIGITS.iter().position(|one| one == digit).unwrap();
                for bit in 0..4 {
                    ones[at * 4 + bit] += u32::from(value >> bit & 1 == 1);
                }
            }
        }
        // Ten standard deviations around one half.
        assert!(
            ones.iter().all(|ones| (342..=658).contains(ones)),
            "{ones:?}"
        );
    }

    #[test]
    fn text_in_another_form_is_not_an_id() {
        let id = "0123456789abcdef0123456789abcdef";
        assert!(SessionId::parse(id).is_some());
        let others = [
            String::new(),
            id[1..].to_owned(),
            format!("{id}0"),
            id.to_uppercase(),
            id.replace('0', " "),
            id.replace('0', "\n"),
            id.replace('0', "\0"),
            id.replace('0', "*"),
            id.replace("01", "é"),
            format!("x:{}", &id[2..]),
        ];
        for other in others {
            assert!(SessionId::parse(&other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn debug_hides_the_id() {
        let id = SessionId::random().unwrap();
        assert!(!format!("{id:?} {id:#?}").contains(&id.as_str()[..4]));
    }

    proptest! {
        #[test]
        fn text_is_an_id_exactly_if_it_has_the_form(text in "[0-9a-fA-F:*]{30,34}|.*") {
            let has_form = text.len() == 32
                && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let id = SessionId::parse(&text);
            prop_assert_eq!(id.is_some(), has_form);
            if let Some(id) = id {
                prop_assert_eq!(id.as_str(), text);
            }
        }
    }
}
