//! The error for a rejected token: one text for the client, and the reason for the log.

use std::{error, fmt, iter};

use bytestring::ByteString;
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};

use crate::close::CloseCode;
use crate::error::{BoxError, Error};
use crate::json::JsonError;

/// The reason in the close frame of a connection with a rejected token.
pub(super) const INVALID_TOKEN: &str = "Invalid Token";

/// The error for a rejected token.
///
/// It always prints as "invalid token", so it can be sent to the client. The reason is its
/// [`source`](std::error::Error::source), for the log. Neither quotes the token or a key.
///
/// ```
/// use std::error::Error;
/// use harpia::auth::Jwt;
///
/// # #[derive(serde::Deserialize)]
/// # struct Claims {}
/// let jwt = Jwt::<Claims>::hs256([7; 32])?;
/// let Err(error) = jwt.verify("e30.e30.e30") else { panic!("this token has no algorithm") };
/// assert_eq!(error.to_string(), "invalid token");
/// assert_eq!(error.source().unwrap().to_string(), "unreadable header or unknown algorithm");
/// # harpia::HandlerResult::Ok(())
/// ```
#[derive(Debug)]
pub struct TokenError {
    reason: Reason,
}

/// The reason. It prints as fixed text and names of claims, since a token must not reach a log.
#[derive(Debug)]
pub(super) enum Reason {
    /// There was no token in this place. Names in it come from the application.
    Absent(String),
    Algorithm,
    Audience,
    Claim(String),
    Claims(JsonError),
    CriticalHeader,
    Expired,
    Header,
    Issuer,
    Malformed,
    NotYet,
    Signature,
    TooLong,
    UnknownKey,
}

impl From<Reason> for TokenError {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

impl From<JwtError> for Reason {
    fn from(error: JwtError) -> Self {
        match error.into_kind() {
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYet,
            ErrorKind::InvalidAlgorithm => Self::Algorithm,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::InvalidSignature => Self::Signature,
            // The names come from the rules, not from the token.
            ErrorKind::InvalidClaimFormat(name) | ErrorKind::MissingRequiredClaim(name) => {
                Self::Claim(name)
            }
            _ => Self::Malformed,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid token")
    }
}

impl error::Error for TokenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.reason)
    }
}

/// Turns a handler's error that is a rejected token into a close with 1008 "Invalid Token".
///
/// The methods of [`Jwt`](super::Jwt) that read from a handshake or a message return such a close
/// themselves. [`verify`](super::Jwt::verify) cannot, because it also serves ordinary requests.
pub(crate) fn close_without_token(error: BoxError) -> BoxError {
    let mut chain = iter::successors(Some(&*error as &dyn error::Error), |error| error.source());
    let decides = chain.find(|error| error.is::<TokenError>() || error.is::<Error>());
    if !decides.is_some_and(|error| error.is::<TokenError>()) {
        return error;
    }
    Error::Close {
        code: CloseCode::POLICY,
        reason: ByteString::from_static(INVALID_TOKEN),
        source: Some(error),
    }
    .into()
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent(place) => return write!(f, "no token in the {place}"),
            Self::Claim(name) => return write!(f, "claim `{name}` is missing or unreadable"),
            Self::Claims(what) => return write!(f, "the claims do not fit their type: {what}"),
            Self::Algorithm => "signed by another algorithm than the key's",
            Self::Audience => "for another audience",
            Self::CriticalHeader => "a header demands an extension (`crit`) that is not known",
            Self::Expired => "expired",
            Self::Header => "unreadable header or unknown algorithm",
            Self::Issuer => "from another issuer",
            Self::Malformed => "not a JSON Web Token",
            Self::NotYet => "not valid yet",
            Self::Signature => "wrong signature",
            Self::TooLong => "longer than 8 KiB",
            Self::UnknownKey => "no key has the token's `kid`",
        })
    }
}

impl error::Error for Reason {}
