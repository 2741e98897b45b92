//! Authentication by token: [`Jwt`] verifies a token, wherever the client sends it.
//!
//! This module has the keys, and the rules for a token. jsonwebtoken does the cryptography. The
//! `auth` handler of a route gets the first message, and
//! [`Socket::expire_at`](crate::Socket::expire_at) closes a connection whose token has expired.
//!
//! - The key decides the algorithm. The `alg` of a token must be the same.
//! - Neither `Debug` nor an error shows a key, a token, or the value of a claim.

mod jwt;
mod key;
mod key_set;
mod keys;
mod sources;
#[cfg(test)]
mod tests;
mod token_error;

pub use jwt::{ClaimsSet, Jwt};
pub use key::Key;
pub use keys::Keys;
pub use token_error::TokenError;
pub(crate) use token_error::close_without_token;
