//! Keys by their `kid`, so that one follows another without a gap.

use std::collections::HashMap;
use std::fmt;

use crate::error::{Error, Result};

use super::jwt::ReadClaims;
use super::{Jwt, Key};

/// A set of keys by `kid`, as it is put together: made by [`Jwt::keys`].
///
/// A token names its key in its header. One that names none, or one that is not here, is refused.
///
/// To change a key: add the new one under a name of its own, have the issuer sign with it, and take
/// the old one out when the last token that it signed has expired.
///
/// ```no_run
/// use harpia::auth::{Jwt, Key};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// # fn main() -> harpia::Result {
/// let jwt = Jwt::<Claims>::keys()
///     .add("2026-01", Key::rs256_pem(std::fs::read("keys/2026-01.pem")?)?)
///     .add("2026-02", Key::eddsa_pem(std::fs::read("keys/2026-02.pem")?)?)
///     .build()?
///     .issuer("https://login.example.com");
/// # Ok(())
/// # }
/// ```
pub struct Keys<C> {
    by_kid: HashMap<Box<str>, Key>,
    twice: Option<Box<str>>,
    read: ReadClaims<C>,
}

impl<C> Keys<C> {
    pub(super) fn new(read: ReadClaims<C>) -> Self {
        Self {
            by_kid: HashMap::new(),
            twice: None,
            read,
        }
    }

    /// Adds a key under the name by which tokens call it.
    #[must_use]
    pub fn add(mut self, kid: impl Into<Box<str>>, key: Key) -> Self {
        let kid = kid.into();
        if self.by_kid.insert(kid.clone(), key).is_some() {
            self.twice = Some(kid);
        }
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if there is no key, or two have one name.
    pub fn build(self) -> Result<Jwt<C>> {
        if let Some(kid) = self.twice {
            let message = format!("two keys have the `kid` `{kid}`");
            return Err(Error::Config { message });
        }
        if self.by_kid.is_empty() {
            let message = "a set of keys has at least one".to_owned();
            return Err(Error::Config { message });
        }
        Ok(Jwt::new(KeySet::ByKid(self.by_kid), self.read))
    }
}

/// The keys of a verifier.
#[derive(Clone)]
pub(super) enum KeySet {
    /// Whatever `kid` a token has.
    One(Box<Key>),
    ByKid(HashMap<Box<str>, Key>),
}

impl KeySet {
    pub(super) fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match self {
            Self::One(key) => Some(key),
            Self::ByKid(keys) => keys.get(kid?),
        }
    }

    pub(super) fn for_each(&mut self, mut change: impl FnMut(&mut Key)) {
        match self {
            Self::One(key) => change(key),
            Self::ByKid(keys) => keys.values_mut().for_each(change),
        }
    }
}

/// Algorithms and names, and no key.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(key) => key.fmt(f),
            Self::ByKid(keys) => keys.fmt(f),
        }
    }
}

/// Names, and no key.
impl<C> fmt::Debug for Keys<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.by_kid).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Claims = ();

    const SECRET: [u8; 32] = [7; 32];

    #[test]
    fn a_set_of_keys_that_cannot_hold_is_an_error() {
        let none = Jwt::<Claims>::keys().build().unwrap_err();
        assert_eq!(none.to_string(), "a set of keys has at least one");
        let key = || Key::hs256(SECRET).unwrap();
        let twice = Jwt::<Claims>::keys().add("a", key()).add("a", key());
        let twice = twice.build().unwrap_err();
        assert_eq!(twice.to_string(), "two keys have the `kid` `a`");
    }

    #[test]
    fn nothing_prints_a_key() {
        let key = Key::hs256("hunter2-hunter2-hunter2-hunter2-").unwrap();
        let set = Jwt::<Claims>::keys().add("a", key.clone());
        let keys = format!("{set:?}");
        let printed = [
            format!("{key:#?}"),
            keys,
            format!("{:?}", set.build().unwrap()),
        ];
        assert_eq!(printed[2], "Jwt({\"a\": Key { algorithms: [HS256], .. }})");
        for text in printed {
            // Neither as text nor as bytes.
            assert!(!text.contains("hunter") && !text.contains("104"), "{text}");
        }
    }
}
