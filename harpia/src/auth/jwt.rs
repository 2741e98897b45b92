//! A verifier of tokens: its keys, its rules, and the type of the claims.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::json::JsonError;
use crate::limits::{MAX_LEEWAY, MAX_TOKEN};

use super::key_set::KeySet;
use super::token_error::Reason;
use super::{Key, TokenError};

/// Verifies JSON Web Tokens and reads their claims.
///
/// Make one, keep it in the route, and read the token from where the client sends it:
///
/// | the client sends the token | method | use it for |
/// |---|---|---|
/// | as the first message | [`from_message`](Self::from_message), in `auth` | any client; no proxy logs it |
/// | in a cookie | [`from_cookie`](Self::from_cookie) | browsers that are logged in, with `HttpOnly` |
/// | as `Authorization: Bearer …` | [`from_bearer`](Self::from_bearer) | programs; browsers cannot set this header |
/// | as a subprotocol | [`from_protocol`](Self::from_protocol) | browsers, if the handshake must carry the token |
/// | in the query | [`from_query`](Self::from_query) | clients that can do nothing else, since URLs are logged |
///
/// - The last four read the handshake. They take the `Handshake` in `connect`, and the socket in
///   `auth` and `open`. After `open`, the cookies and tokens of the handshake are dropped.
/// - With `?`, a missing or invalid token closes with 1008 "Invalid Token". The reason goes to the
///   log, or to the `error` handler if there is one, and not to the client.
/// - **The connection closes when its token expires**, with 4401 "Token Expired", unless a fresh
///   token is [read](Self::from_message) before. This holds for all five methods.
///
/// ```
/// use harpia::auth::Jwt;
/// use harpia::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// #[derive(FromHandshake)]
/// struct User { #[from(default)] name: String }
///
/// struct Feed { jwt: Jwt<Claims> }
///
/// #[ws_route("/feed", data = User)]
/// impl Feed {
///     async fn auth(&self, ws: &mut Socket<User>, first: String) -> HandlerResult {
///         ws.data.name = self.jwt.from_message(ws, &first)?.sub;
///         Ok(())
///     }
///
///     fn open(&self, ws: &mut Socket<User>) {
///         ws.send(format!("welcome, {}", ws.data.name));
///     }
/// }
///
/// # fn main() -> harpia::Result {
/// # let secret = [7; 32];
/// let jwt = Jwt::hs256(secret)?.audience("feed").issuer("https://login.example.com");
/// let app = App::new().ws(Feed { jwt });
/// # Ok(())
/// # }
/// ```
///
/// # Signing
///
/// harpia only verifies tokens. To sign them, in a login or a test, use `jsonwebtoken = { version =
/// "11", features = ["rust_crypto"] }`, as [`verify`](Self::verify) shows. If another crate enables
/// a second provider, such as `aws_lc_rs`, call jsonwebtoken's `CryptoProvider::install_default`
/// first.
///
/// # Logout
///
/// A token stays valid after a logout. Keep its `jti` or `sub` in a list that `auth` checks, or use
/// tokens with a short lifetime. [`Hub::disconnect_topic`](crate::Hub::disconnect_topic) closes the
/// connections that are open.
///
/// # Rejected tokens
///
/// - A token that is not signed by the key's own algorithm. The `alg` of the token decides nothing:
///   `none` is rejected, and so is an RSA public key that is used as an HMAC secret.
/// - A token without `exp`, after its `exp`, or before its `nbf`.
/// - A token of another audience or issuer than required, or with an `iss` that is not text.
/// - A token with an `aud` other than `null`, if no audience is required: it is meant for another
///   recipient (RFC 7519 section 4.1.3).
/// - A token of more than 8 KiB. It is rejected before it is decoded.
/// - A token with a `crit` header, since no extension is supported (RFC 7515 section 4.1.11).
/// - A token whose claims do not deserialize as `C`.
///
/// Cloning copies the keys.
pub struct Jwt<C> {
    keys: KeySet,
    read: ReadClaims<C>,
}

/// Reads the claims of a verified token.
///
/// It is chosen where a verifier is made. So a type that cannot be claims is an error there, and
/// not again wherever a handler reads a token.
pub(super) type ReadClaims<C> = fn(Value) -> Result<C, JsonError>;

pub(super) fn read_claims<C: ClaimsSet>(claims: Value) -> Result<C, JsonError> {
    serde_path_to_error::deserialize(claims).map_err(|error| JsonError::with_path(&error))
}

/// The type of a token's claims: any type that implements serde's `Deserialize`.
///
/// ```
/// use harpia::auth::{ClaimsSet, Jwt};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// fn verifier<C: ClaimsSet>(secret: &str) -> harpia::Result<Jwt<C>> {
///     Jwt::hs256(secret)
/// }
/// # let _ = verifier::<Claims>("a secret of at least 32 bytes....");
/// ```
#[diagnostic::on_unimplemented(
    message = "the claims of a token cannot be read as `{Self}`",
    label = "not a type of claims",
    note = "a type of your own needs `#[derive(serde::Deserialize)]`"
)]
pub trait ClaimsSet: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<C: DeserializeOwned> ClaimsSet for C {}

/// Constructors, which take one key each. [`Key`] says what a key must be.
impl<C> Jwt<C> {
    /// Verifies by HMAC with SHA-256 and a secret of at least 32 bytes.
    ///
    /// # Errors
    ///
    /// The errors of [`Key::hs256`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::hs256(std::fs::read("keys/secret")?)?;
    /// # harpia::HandlerResult::Ok(())
    /// ```
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self>
    where
        C: ClaimsSet,
    {
        Key::hs256(secret).map(Self::of_key)
    }

    /// Verifies by HMAC with SHA-384 and a secret of at least 48 bytes.
    ///
    /// # Errors
    ///
    /// The errors of [`Key::hs384`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::hs384(std::fs::read("keys/secret")?)?;
    /// # harpia::HandlerResult::Ok(())
    /// ```
    pub fn hs384(secret: impl AsRef<[u8]>) -> Result<Self>
    where
        C: ClaimsSet,
    {
        Key::hs384(secret).map(Self::of_key)
    }

    /// Verifies by HMAC with SHA-512 and a secret of at least 64 bytes.
    ///
    /// # Errors
    ///
    /// The errors of [`Key::hs512`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::hs512(std::fs::read("keys/secret")?)?;
    /// # harpia::HandlerResult::Ok(())
    /// ```
    pub fn hs512(secret: impl AsRef<[u8]>) -> Result<Self>
    where
        C: ClaimsSet,
    {
        Key::hs512(secret).map(Self::of_key)
    }

    /// Verifies by RSA (PKCS #1 v1.5, SHA-256) and a public key in PEM.
    ///
    /// # Errors
    ///
    /// The errors of [`Key::rs256_pem`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::rs256_pem(std::fs::read("keys/login.pem")?)?;
    /// # harpia::HandlerResult::Ok(())
    /// ```
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self>
    where
        C: ClaimsSet,
    {
        Key::rs256_pem(pem).map(Self::of_key)
    }

    /// Verifies by ECDSA (P-256, SHA-256) and a public key in PEM.
    ///
    /// # Errors
    ///
    /// The errors of [`Key::es256_pem`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::es256_pem(std::fs::read("keys/login.pem")?)?;
    /// # harpia::HandlerResult::Ok(())
    /// ```
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self>
    where
        C: ClaimsSet,
    {
        Key::es256_pem(pem).map(Self::of_key)
    }

    /// Verifies by EdDSA (Ed25519) and a public key in PEM.
    ///
    /// # Errors
    ///
    /// The errors of [`Key::eddsa_pem`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::eddsa_pem(std::fs::read("keys/login.pem")?)?;
    /// # harpia::HandlerResult::Ok(())
    /// ```
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self>
    where
        C: ClaimsSet,
    {
        Key::eddsa_pem(pem).map(Self::of_key)
    }

    fn of_key(key: Key) -> Self
    where
        C: ClaimsSet,
    {
        Self::new(KeySet::One(Box::new(key)), read_claims)
    }

    pub(super) fn new(keys: KeySet, read: ReadClaims<C>) -> Self {
        Self { keys, read }
    }
}

/// Rules for claims other than `exp`.
impl<C> Jwt<C> {
    /// Requires this `aud`. If it is called more than once, any one of them is enough.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// # let secret = [7; 32];
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::hs256(secret)?.audience("chat").audience("feed");
    /// # harpia::HandlerResult::Ok(())
    /// ```
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.with_rules(|rules| {
            let known = rules.aud.get_or_insert_default();
            known.insert(audience.clone());
            rules.required_spec_claims.insert("aud".to_owned());
        })
    }

    /// Requires this `iss`. If it is called more than once, any one of them is enough.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// # let secret = [7; 32];
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::hs256(secret)?.issuer("https://login.example.com");
    /// # harpia::HandlerResult::Ok(())
    /// ```
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        self.with_rules(|rules| {
            let known = rules.iss.get_or_insert_default();
            known.insert(issuer.clone());
            rules.required_spec_claims.insert("iss".to_owned());
        })
    }

    /// Allows the issuer's clock to differ by up to this much.
    ///
    /// Default: zero. At most one hour.
    ///
    /// A token is accepted this long before its `nbf`, and a connection closes this long after its
    /// `exp`. Only whole seconds count.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims {}
    /// # let secret = [7; 32];
    /// use std::time::Duration;
    /// use harpia::auth::Jwt;
    ///
    /// let jwt = Jwt::<Claims>::hs256(secret)?.leeway(Duration::from_secs(10));
    /// # harpia::HandlerResult::Ok(())
    /// ```
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        let seconds = leeway.min(MAX_LEEWAY).as_secs();
        self.with_rules(|rules| rules.leeway = seconds)
    }

    fn with_rules(mut self, change: impl Fn(&mut Validation)) -> Self {
        self.keys.for_each(|key| change(&mut key.rules));
        self
    }
}

impl<C> Jwt<C> {
    /// Verifies a token and returns its claims, without a connection.
    ///
    /// **No connection closes when this token expires.** In a handler, use
    /// [`from_message`](Self::from_message) or one of the other four methods, or call
    /// [`Socket::expire_at`](crate::Socket::expire_at) yourself, as in the second example.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which prints the same text for every reason.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::auth::Jwt;
    /// use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String }
    ///
    /// # let secret = [7; 32];
    /// let claims = serde_json::json!({ "sub": "ada", "exp": get_current_timestamp() + 60 });
    /// let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(&secret))?;
    ///
    /// let jwt = Jwt::<Claims>::hs256(secret)?;
    /// assert_eq!(jwt.verify(&token)?.sub, "ada");
    /// assert!(jwt.verify(&token[1..]).is_err());
    /// # harpia::HandlerResult::Ok(())
    /// ```
    ///
    /// In a handler, for a token in a format of your own. The claims need an `exp`:
    ///
    /// ```
    /// # use harpia::auth::Jwt;
    /// # use harpia::prelude::*;
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String, exp: u64 }
    ///
    /// struct Feed { jwt: Jwt<Claims> }
    ///
    /// #[ws_route("/feed")]
    /// impl Feed {
    ///     async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
    ///         let token = first.strip_prefix("token:").or_close(1008, "Invalid Token")?;
    ///         let claims = self.jwt.verify(token)?;
    ///         ws.expire_at(claims.exp);
    ///         ws.send(format!("welcome, {}", claims.sub));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn verify(&self, token: &str) -> Result<C, TokenError> {
        Ok(self.read(token)?.claims)
    }

    pub(super) fn read(&self, token: &str) -> Result<Verified<C>, Reason> {
        if token.len() > MAX_TOKEN {
            return Err(Reason::TooLong);
        }
        let header = decode_header(token).map_err(|_| Reason::Header)?;
        if header.crit.is_some() {
            return Err(Reason::CriticalHeader);
        }
        let key = self.keys.find(header.kid.as_deref());
        let key = key.ok_or(Reason::UnknownKey)?;
        // If another crate enables a second provider, jsonwebtoken panics unless one is installed.
        // This does not replace a provider that the program has installed.
        let _ = DEFAULT_PROVIDER.install_default();
        let decoded = decode::<Map<String, Value>>(token, &key.verifier, &key.rules)?;
        check_kinds(&decoded.claims, &key.rules)?;
        let expiry = decoded.claims.get("exp").and_then(seconds);
        let expiry = expiry.ok_or_else(|| Reason::Claim("exp".to_owned()))?;
        let claims = Value::Object(decoded.claims);
        Ok(Verified {
            expiry: expiry.saturating_add(key.rules.leeway),
            claims: (self.read)(claims).map_err(Reason::Claims)?,
        })
    }
}

/// The claims and the expiry of a verified token.
pub(super) struct Verified<C> {
    pub(super) claims: C,
    /// The time at which it expires, leeway included, in seconds since 1970.
    pub(super) expiry: u64,
}

impl<C> Clone for Jwt<C> {
    fn clone(&self) -> Self {
        Self::new(self.keys.clone(), self.read)
    }
}

/// Prints algorithms and names, and no key.
impl<C> fmt::Debug for Jwt<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jwt").field(&self.keys).finish()
    }
}

/// Rejects claims of the wrong type that jsonwebtoken accepts.
///
/// jsonwebtoken ignores an audience that is not text, and accepts a list of issuers.
fn check_kinds(claims: &Map<String, Value>, rules: &Validation) -> Result<(), Reason> {
    let has_audience = claims.get("aud").is_some_and(|aud| !aud.is_null());
    if rules.aud.is_none() && has_audience {
        return Err(Reason::Audience);
    }
    let has_issuer = claims.get("iss").is_some_and(Value::is_string);
    if rules.iss.is_some() && !has_issuer {
        return Err(Reason::Claim("iss".to_owned()));
    }
    Ok(())
}

/// Returns a NumericDate in whole seconds. It may have a fraction (RFC 7519 section 2).
fn seconds(value: &Value) -> Option<u64> {
    // The cast saturates, and a verified time is not negative.
    value.as_u64().or_else(|| Some(value.as_f64()? as u64))
}
