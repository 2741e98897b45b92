//! Who is there: tokens that are verified, wherever a client sends them. Begin at [`Jwt`].
//!
//! Owns keys and the rules a token has to keep; jsonwebtoken does the cryptography. Waiting for a
//! first message is the route's (`auth`), closing by the clock the [`Socket`](crate::Socket)'s.
//!
//! - A key decides the algorithm; what a token says of it must agree.
//! - No key, no token and no claim's value is in a `Debug` or an error's text.

mod jwt;
mod key;
mod keys;
mod sources;
#[cfg(test)]
mod tests;
mod token_error;

pub use jwt::{ClaimsSet, Jwt};
pub use key::Key;
pub use keys::Keys;
pub use token_error::TokenError;
