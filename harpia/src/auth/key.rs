//! A key, which verifies tokens by one algorithm.

use std::fmt;

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use crate::error::{Error, Result};
use crate::limits::LEEWAY;

/// A key that verifies tokens by one algorithm.
///
/// The algorithm is in the name of the constructor.
///
/// Use it for a [set of keys](super::Jwt::keys). For a single key, [`Jwt`](super::Jwt) has
/// constructors with the same names. `Debug` does not show the key.
///
/// - `hs256`, `hs384` and `hs512` take a secret that the issuer and the server share. It must be at
///   least as long as the hash (RFC 7518 section 3.2), since a shorter one can be guessed.
///   `openssl rand -hex 64` makes one.
/// - `rs256_pem`, `es256_pem` and `eddsa_pem` take a public key, in the format that
///   `openssl pkey -pubout` writes.
///
/// ```
/// use harpia::auth::Key;
///
/// assert!(Key::hs256([7; 32]).is_ok());
/// assert_eq!(
///     Key::hs256("hunter2").unwrap_err().to_string(),
///     "an HS256 secret has at least 32 bytes, this one has 7; `openssl rand -hex 32` makes one",
/// );
/// assert!(Key::rs256_pem("-----BEGIN NONSENSE-----").is_err());
/// ```
#[derive(Clone)]
pub struct Key {
    pub(super) verifier: DecodingKey,
    pub(super) rules: Validation,
}

impl Key {
    /// Makes a key for HMAC with SHA-256 from a secret of at least 32 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the secret is shorter, or is a key in PEM format, with or without its
    /// first and last line. A public key is not a secret.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::auth::Key;
    ///
    /// # fn main() -> harpia::Result {
    /// # let secret = [7; 32];
    /// let key = Key::hs256(secret)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_secret(Algorithm::HS256, secret.as_ref(), 32)
    }

    /// Makes a key for HMAC with SHA-384 from a secret of at least 48 bytes.
    ///
    /// # Errors
    ///
    /// The errors of [`hs256`](Self::hs256).
    pub fn hs384(secret: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_secret(Algorithm::HS384, secret.as_ref(), 48)
    }

    /// Makes a key for HMAC with SHA-512 from a secret of at least 64 bytes.
    ///
    /// # Errors
    ///
    /// The errors of [`hs256`](Self::hs256).
    pub fn hs512(secret: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_secret(Algorithm::HS512, secret.as_ref(), 64)
    }

    /// Makes a key for RSA from a public key of at least 2048 bits.
    ///
    /// The algorithm is PKCS #1 v1.5 with SHA-256.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if this is not an RSA public key in PEM format, or is shorter (RFC 7518
    /// section 3.3).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use harpia::auth::Key;
    ///
    /// # fn main() -> harpia::Result {
    /// let key = Key::rs256_pem(std::fs::read("keys/login.pem")?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let key = DecodingKey::from_rsa_pem(pem.as_ref()).ok();
        let parts_of = DEFAULT_PROVIDER
            .key_utils
            .rsa_pub_components_from_public_key;
        let is_strong = |key: &DecodingKey| {
            let parts = key.try_get_as_bytes().and_then(parts_of);
            parts.is_ok_and(|(modulus, _)| modulus.len() >= 2048 / 8)
        };
        Self::of_public(
            Algorithm::RS256,
            key.filter(is_strong),
            "an RSA key of at least 2048 bits",
        )
    }

    /// Makes a key for ECDSA with SHA-256 from a public key on the curve P-256.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if this is not such a key in PEM format.
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let key = DecodingKey::from_ec_pem(pem.as_ref()).ok();
        let is_point = |key: &DecodingKey| can_verify(Algorithm::ES256, key);
        Self::of_public(Algorithm::ES256, key.filter(is_point), "an EC key on P-256")
    }

    /// Makes a key for EdDSA from an Ed25519 public key.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if this is not such a key in PEM format.
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let key = DecodingKey::from_ed_pem(pem.as_ref()).ok();
        // The length is checked first, since jsonwebtoken slices the key without a check.
        let is_point = |key: &DecodingKey| {
            let has_length = key.try_get_as_bytes().is_ok_and(|key| key.len() == 32);
            has_length && can_verify(Algorithm::EdDSA, key)
        };
        Self::of_public(Algorithm::EdDSA, key.filter(is_point), "an Ed25519 key")
    }

    fn of_secret(algorithm: Algorithm, secret: &[u8], least: usize) -> Result<Self> {
        // If a public key were used as a secret, anyone could sign tokens.
        if is_pem(secret) {
            return Err(config(format!(
                "an {algorithm:?} secret is not a key in PEM"
            )));
        }
        let length = secret.len();
        if length < least {
            return Err(config(format!(
                "an {algorithm:?} secret has at least {least} bytes, this one has {length}; \
                 `openssl rand -hex {least}` makes one"
            )));
        }
        Ok(Self::new(algorithm, DecodingKey::from_secret(secret)))
    }

    fn of_public(algorithm: Algorithm, key: Option<DecodingKey>, what: &str) -> Result<Self> {
        let message = || {
            config(format!(
                "{algorithm:?} takes the public half of {what}, in PEM"
            ))
        };
        Ok(Self::new(algorithm, key.ok_or_else(message)?))
    }

    fn new(algorithm: Algorithm, verifier: DecodingKey) -> Self {
        let mut rules = Validation::new(algorithm);
        rules.leeway = LEEWAY.as_secs();
        rules.validate_nbf = true;
        // A token has expired in the second of its `exp` (RFC 7519 section 4.1.4).
        rules.reject_tokens_expiring_in_less_than = 1;
        Self { verifier, rules }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithms", &self.rules.algorithms)
            .finish_non_exhaustive()
    }
}

/// Returns whether this contains a key in PEM format, or the lines between its first and last line.
fn is_pem(secret: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN";
    const TYPE: &[u8] = b" PUBLIC KEY-----\n";
    const END: &[u8] = b"\n-----END";
    let whole = [BEGIN, TYPE, secret.trim_ascii(), END, TYPE].concat();
    secret.windows(BEGIN.len()).any(|part| part == BEGIN)
        || DecodingKey::from_rsa_pem(&whole).is_ok()
        || DecodingKey::from_ec_pem(&whole).is_ok()
        || DecodingKey::from_ed_pem(&whole).is_ok()
}

fn can_verify(algorithm: Algorithm, key: &DecodingKey) -> bool {
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key).is_ok()
}

fn config(message: String) -> Error {
    Error::Config { message }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const RSA: &str = include_str!("test_keys/rsa.pem");
    const RSA_PUBLIC: &str = include_str!("test_keys/rsa.pub.pem");
    const SHORT_RSA_PUBLIC: &str = include_str!("test_keys/short_rsa.pub.pem");
    const EC: &str = include_str!("test_keys/ec.pem");
    const EC_PUBLIC: &str = include_str!("test_keys/ec.pub.pem");
    const P384_PUBLIC: &str = include_str!("test_keys/p384.pub.pem");
    const ED: &str = include_str!("test_keys/ed.pem");
    const ED_PUBLIC: &str = include_str!("test_keys/ed.pub.pem");

    #[test]
    fn a_public_key_in_pem_is_not_accepted_as_a_secret() {
        for pem in [RSA_PUBLIC, EC_PUBLIC, ED_PUBLIC, P384_PUBLIC] {
            let body: String = pem.lines().filter(|line| !line.contains('-')).collect();
            let lines: Vec<&str> = pem.lines().filter(|line| !line.contains('-')).collect();
            for secret in [
                format!("\u{feff}{pem}"),
                format!("# login\n{pem}"),
                lines.join("\r\n"),
                format!(" {body}\n"),
                body,
            ] {
                let error = Key::hs256(&secret).expect_err(&secret);
                let text = "an HS256 secret is not a key in PEM";
                assert_eq!(error.to_string(), text, "{secret}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_random_secret_is_accepted_in_bytes_and_in_base64(
            bytes in vec(any::<u8>(), 32..99),
            base64 in "[A-Za-z0-9+/]{43}=",
        ) {
            prop_assert!(Key::hs256(bytes).is_ok());
            prop_assert!(Key::hs256(base64).is_ok());
        }
    }

    #[test]
    fn a_weak_key_or_a_key_of_another_kind_is_an_error() {
        let message = |key: Result<Key>| key.unwrap_err().to_string();
        assert_eq!(
            message(Key::hs512([0; 63])),
            "an HS512 secret has at least 64 bytes, this one has 63; \
             `openssl rand -hex 64` makes one"
        );
        let rsa = "RS256 takes the public half of an RSA key of at least 2048 bits, in PEM";
        for pem in [RSA, SHORT_RSA_PUBLIC, EC_PUBLIC, ED_PUBLIC, "", "nonsense"] {
            assert_eq!(message(Key::rs256_pem(pem)), rsa);
        }
        let ec = "ES256 takes the public half of an EC key on P-256, in PEM";
        for pem in [EC, P384_PUBLIC, RSA_PUBLIC, ED_PUBLIC, ""] {
            assert_eq!(message(Key::es256_pem(pem)), ec);
        }
        let ed = "EdDSA takes the public half of an Ed25519 key, in PEM";
        // An Ed25519 key of 16 bytes instead of 32.
        let short = "-----BEGIN PUBLIC KEY-----\n\
                     MBowBQYDK2VwAxEAAAAAAAAAAAAAAAAAAAAAAAA=\n\
                     -----END PUBLIC KEY-----";
        for pem in [ED, EC_PUBLIC, RSA_PUBLIC, "", short] {
            assert_eq!(message(Key::eddsa_pem(pem)), ed);
        }
    }
}
