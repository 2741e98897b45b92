//! Keys by their `kid`, so that one key can replace another without an interruption.

use std::collections::HashMap;
use std::fmt;

use crate::error::{Error, Result};

use super::jwt::{ReadClaims, read_claims};
use super::key_set::KeySet;
use super::{ClaimsSet, Jwt, Key};

/// A builder for a [`Jwt`] with several keys, made by [`Jwt::keys`].
///
/// The header of a token names its key by `kid`. A token that names no key, or an unknown key, is
/// rejected.
///
/// To replace a key, add the new key under a new name, let the issuer sign with it, and remove the
/// old key once the last token that it signed has expired.
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

impl<C: ClaimsSet> Jwt<C> {
    /// Starts a set of keys.
    ///
    /// Each token names its key by `kid`. See [`Keys`] for an example.
    pub fn keys() -> Keys<C> {
        Keys::new(read_claims)
    }
}

impl<C> Keys<C> {
    fn new(read: ReadClaims<C>) -> Self {
        Self {
            by_kid: HashMap::new(),
            twice: None,
            read,
        }
    }

    /// Adds a key under the `kid` that tokens have in their header.
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
    /// [`Error::Config`] if there is no key, or if two keys have the same name.
    pub fn build(self) -> Result<Jwt<C>> {
        if let Some(kid) = self.twice {
            let message = format!("two keys have the `kid` `{kid}`");
            return Err(Error::Config { message });
        }
        if self.by_kid.is_empty() {
            let message = "a set of keys needs at least one key".to_owned();
            return Err(Error::Config { message });
        }
        Ok(Jwt::new(KeySet::ByKid(self.by_kid), self.read))
    }
}

/// Prints names, and no key.
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
    fn an_empty_set_of_keys_and_a_repeated_name_are_errors() {
        let none = Jwt::<Claims>::keys().build().unwrap_err();
        assert_eq!(none.to_string(), "a set of keys needs at least one key");
        let key = || Key::hs256(SECRET).unwrap();
        let twice = Jwt::<Claims>::keys().add("a", key()).add("a", key());
        let twice = twice.build().unwrap_err();
        assert_eq!(twice.to_string(), "two keys have the `kid` `a`");
    }

    #[test]
    fn debug_shows_no_key() {
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
            // The key must not appear as text or as bytes.
            assert!(!text.contains("hunter") && !text.contains("104"), "{text}");
        }
    }
}
