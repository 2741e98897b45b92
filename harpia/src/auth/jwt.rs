//! A verifier of tokens: its keys, its rules, and the claims it reads.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::json::JsonError;
use crate::limits::{MAX_LEEWAY, MAX_TOKEN};

use super::keys::KeySet;
use super::token_error::Reason;
use super::{Key, Keys, TokenError};

/// Verifies JSON Web Tokens and reads their claims.
///
/// It is made once, lives in the route, and reads the token where the client sends it:
///
/// | the token comes | read it by | for |
/// |---|---|---|
/// | as the first message | [`from_message`](Self::from_message), in `auth` | any client; nothing to leak on the way |
/// | in a cookie | [`from_cookie`](Self::from_cookie) | browsers that are logged in; `HttpOnly` |
/// | as `Authorization: Bearer …` | [`from_bearer`](Self::from_bearer) | programs; browsers cannot set it |
/// | as a subprotocol | [`from_protocol`](Self::from_protocol) | browsers, where the handshake must carry it |
/// | in the query | [`from_query`](Self::from_query) | nothing else left: URLs are logged |
///
/// The four of the handshake work in `auth` and `open`; what it brought is forgotten after that.
/// With `?`, a token that is missing or refused closes with 1008 "Invalid Token" and nothing
/// else; the reason is for the log. With each of the five **the connection closes when its token
/// expires**, by 4401 "Token expired", until a fresh one is [read](Self::from_message).
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
/// harpia verifies only. To sign, in a login or a test: `jsonwebtoken = { version = "11", features =
/// ["rust_crypto"] }`, as [`verify`](Self::verify) shows. Where another crate has switched on a second
/// provider, such as `aws_lc_rs`, call jsonwebtoken's `CryptoProvider::install_default` first.
///
/// A token stays good after a logout: keep its `jti` or `sub` in a list that `auth` asks, or let it be
/// short-lived; [`Hub::disconnect_topic`](crate::Hub::disconnect_topic) closes what it has opened.
///
/// # What is refused
///
/// - A token signed by anything but the key's own algorithm. What the token says of its algorithm
///   decides nothing: `none`, or an RSA public key used as an HMAC secret, is an invalid token.
/// - A token without `exp`, after its `exp`, or before its `nbf`.
/// - Another audience or issuer than asked for, or an `iss` that is no text. Where no audience is
///   asked for, a token *with* an `aud` of any kind but `null` is refused too, since it is for
///   someone (RFC 7519 section 4.1.3).
/// - More than 8 KiB, before any work; a `crit` header, as no extension is known here (RFC 7515
///   section 4.1.11); claims that are not the type's.
///
/// A clone has copies of the keys.
pub struct Jwt<C: ClaimsSet> {
    keys: KeySet,
    claims: PhantomData<fn() -> C>,
}

/// What the claims of a token are read as: all that serde can read.
#[diagnostic::on_unimplemented(
    message = "the claims of a token cannot be read as `{Self}`",
    label = "not a type of claims",
    note = "a type of your own needs `#[derive(serde::Deserialize)]`"
)]
pub trait ClaimsSet: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<C: DeserializeOwned> ClaimsSet for C {}

/// Each takes one key; see [`Key`] for what it must be.
impl<C: ClaimsSet> Jwt<C> {
    /// Verifies by HMAC with SHA-256 and a secret of 32 bytes or more.
    ///
    /// # Errors
    ///
    /// As [`Key::hs256`].
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self> {
        Key::hs256(secret).map(Self::of_key)
    }

    /// Verifies by HMAC with SHA-384 and a secret of 48 bytes or more.
    ///
    /// # Errors
    ///
    /// As [`Key::hs256`].
    pub fn hs384(secret: impl AsRef<[u8]>) -> Result<Self> {
        Key::hs384(secret).map(Self::of_key)
    }

    /// Verifies by HMAC with SHA-512 and a secret of 64 bytes or more.
    ///
    /// # Errors
    ///
    /// As [`Key::hs256`].
    pub fn hs512(secret: impl AsRef<[u8]>) -> Result<Self> {
        Key::hs512(secret).map(Self::of_key)
    }

    /// Verifies by RSA (PKCS #1 v1.5, SHA-256) and a public key in PEM.
    ///
    /// # Errors
    ///
    /// As [`Key::rs256_pem`].
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
    pub fn rs256_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Key::rs256_pem(pem).map(Self::of_key)
    }

    /// Verifies by ECDSA (P-256, SHA-256) and a public key in PEM.
    ///
    /// # Errors
    ///
    /// As [`Key::es256_pem`].
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Key::es256_pem(pem).map(Self::of_key)
    }

    /// Verifies by EdDSA (Ed25519) and a public key in PEM.
    ///
    /// # Errors
    ///
    /// As [`Key::eddsa_pem`].
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Key::eddsa_pem(pem).map(Self::of_key)
    }

    /// Begins a set of several keys, of which a token names its own by `kid`: see [`Keys`].
    pub fn keys() -> Keys<C> {
        Keys::new()
    }

    fn of_key(key: Key) -> Self {
        Self::new(KeySet::One(Box::new(key)))
    }

    pub(super) fn new(keys: KeySet) -> Self {
        Self {
            keys,
            claims: PhantomData,
        }
    }
}

/// What a token has to say beside `exp`.
impl<C: ClaimsSet> Jwt<C> {
    /// Asks for this `aud`; called again, for one of several.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.with_rules(|rules| {
            let known = rules.aud.get_or_insert_default();
            known.insert(audience.clone());
            rules.required_spec_claims.insert("aud".to_owned());
        })
    }

    /// Asks for this `iss`; called again, for one of several.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        self.with_rules(|rules| {
            let known = rules.iss.get_or_insert_default();
            known.insert(issuer.clone());
            rules.required_spec_claims.insert("iss".to_owned());
        })
    }

    /// Lets the issuer's clock differ from this one by so much, in whole seconds up to an hour.
    ///
    /// A token is then taken so long before its `nbf`, and a connection lives so long beyond its
    /// `exp`. Default: not at all.
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

impl<C: ClaimsSet> Jwt<C> {
    /// Verifies a token and returns its claims, apart from any connection.
    ///
    /// **No connection closes when this token expires**: it is not told of it. In a handler, read
    /// the token by [`from_message`](Self::from_message) or another of the five, or have the
    /// connection [expire](crate::Socket::expire_at) by hand, as below.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which prints the same whatever was wrong.
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
    /// In a handler, for a token of a form that harpia does not read, claims with an `exp` and:
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
        // Does something only where another crate has switched on a second provider: jsonwebtoken
        // panics over the choice. One that the program has installed stays.
        let _ = DEFAULT_PROVIDER.install_default();
        let decoded = decode::<Map<String, Value>>(token, &key.verifier, &key.rules)?;
        check_kinds(&decoded.claims, &key.rules)?;
        let expiry = decoded.claims.get("exp").and_then(seconds);
        let expiry = expiry.ok_or_else(|| Reason::Claim("exp".to_owned()))?;
        let claims = Value::Object(decoded.claims);
        Ok(Verified {
            expiry: expiry.saturating_add(key.rules.leeway),
            claims: serde_path_to_error::deserialize(claims)
                .map_err(|error| Reason::Claims(JsonError::with_path(&error)))?,
        })
    }
}

/// What a token says, once it is known to be good.
pub(super) struct Verified<C> {
    pub(super) claims: C,
    /// When it ends, leeway included, in seconds since 1970.
    pub(super) expiry: u64,
}

impl<C: ClaimsSet> Clone for Jwt<C> {
    fn clone(&self) -> Self {
        Self::new(self.keys.clone())
    }
}

/// Algorithms and names, and no key.
impl<C: ClaimsSet> fmt::Debug for Jwt<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jwt").field(&self.keys).finish()
    }
}

/// Refuses what jsonwebtoken lets by: to it, an audience that is no text is none at all, and an
/// issuer may be a list.
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

/// A NumericDate may have a fraction (RFC 7519 section 2).
fn seconds(value: &Value) -> Option<u64> {
    // Saturates, and is not negative once it is verified.
    value.as_u64().or_else(|| Some(value.as_f64()? as u64))
}
