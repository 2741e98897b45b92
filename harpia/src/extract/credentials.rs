//! The cookies and tokens of a handshake, kept for `auth` and `open`.
//!
//! They are not a part of the connection's data, and are dropped once `open` has returned, so an
//! idle connection holds no cookie and no token.

#[cfg(feature = "jwt")]
use std::borrow::Cow;
use std::fmt;
use std::iter;

use http::header::COOKIE;
#[cfg(feature = "jwt")]
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, Uri};

use super::cookies;
#[cfg(feature = "jwt")]
use super::query;

/// The parts of a handshake that may hold a token or the id of a session.
pub struct Credentials {
    /// All `Cookie` headers in one, not parsed, since most cookies are never read.
    cookies: Box<[u8]>,
    #[cfg(feature = "jwt")]
    bearer: Option<Box<str>>,
    #[cfg(feature = "jwt")]
    protocols: Box<str>,
    #[cfg(feature = "jwt")]
    query: Box<str>,
}

impl Credentials {
    /// Copies the parts, since a kept header would keep the request's whole buffer alive.
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        #[cfg(feature = "jwt")]
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        #[cfg(not(feature = "jwt"))]
        let _ = uri;
        let cookies = headers.get_all(COOKIE).into_iter();
        let cookies: Vec<&[u8]> = cookies.map(HeaderValue::as_bytes).collect();
        Self {
            cookies: cookies.join(&b';').into(),
            #[cfg(feature = "jwt")]
            bearer: header(AUTHORIZATION).and_then(bearer).map(Into::into),
            #[cfg(feature = "jwt")]
            protocols: header(SEC_WEBSOCKET_PROTOCOL).unwrap_or_default().into(),
            #[cfg(feature = "jwt")]
            query: uri.query().unwrap_or_default().into(),
        }
    }

    /// Returns the value of a cookie, decoded.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        cookies::find(iter::once(&*self.cookies), name)
    }

    /// Returns the token of `Authorization: Bearer …` (RFC 6750 section 2.1).
    #[cfg(feature = "jwt")]
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// Returns the token of `Sec-WebSocket-Protocol: bearer, <token>`.
    #[cfg(feature = "jwt")]
    pub(crate) fn protocol(&self) -> Option<&str> {
        let mut names = self.protocols.split(',').map(str::trim);
        names.find(|name| *name == "bearer")?;
        names.next().filter(|token| !token.is_empty())
    }

    /// Returns the first value of this name in the query, decoded.
    #[cfg(feature = "jwt")]
    pub(crate) fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query::find(&self.query, name)
    }
}

/// A value that cookies and tokens are read from: a [`Handshake`](super::Handshake) in `connect`,
/// or the [`Socket`](crate::Socket) of a connection in `auth` and `open`.
///
/// No other type can implement it.
///
/// ```
/// use harpia::Session;
/// use harpia::extract::CredentialSource;
/// use harpia::session::SessionError;
///
/// async fn user(
///     sessions: &Session<String>,
///     from: &impl CredentialSource,
/// ) -> Result<String, SessionError> {
///     sessions.from_ws(from).await
/// }
/// ```
pub trait CredentialSource: Sealed {}

/// What harpia needs of a [`CredentialSource`].
pub trait Sealed {
    /// Returns the credentials, or `None` if they are dropped, which is the case once `open` has
    /// returned.
    #[doc(hidden)]
    fn credentials(&self) -> Option<&Credentials>;

    /// Closes the connection at this time.
    #[doc(hidden)]
    fn expire_at(&self, unix_seconds: u64);

    /// Returns whether the handshake negotiates a subprotocol.
    #[doc(hidden)]
    fn has_protocol(&self) -> bool;
}

/// Prints no field, since each may hold a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(feature = "jwt")]
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(feature = "jwt")]
#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn credentials(uri: &str, headers: &[(&str, &str)]) -> Credentials {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        Credentials::of(&map, &uri.parse().unwrap())
    }

    #[test]
    fn each_credential_is_read_from_its_own_source() {
        let found = credentials(
            "/chat?token=q%2E1&token=2",
            &[
                ("cookie", "id=7"),
                ("cookie", "token=c.1"),
                ("authorization", "bearer  h.1"),
                ("sec-websocket-protocol", "chat.v1, bearer, p.1"),
            ],
        );
        assert_eq!(found.cookie("token").as_deref(), Some("c.1"));
        assert_eq!(found.bearer(), Some("h.1"));
        assert_eq!(found.protocol(), Some("p.1"));
        assert_eq!(found.query("token").as_deref(), Some("q.1"));
        assert_eq!(found.query("other"), None);
    }

    #[test]
    fn a_header_without_a_bearer_token_yields_none() {
        for header in ["Basic abc", "Bearer", "Bearer "] {
            let found = credentials("/?a", &[("authorization", header)]);
            assert_eq!(found.bearer(), None, "{header}");
        }
        for header in ["chat.v1", "bearer", "bearer, "] {
            let found = credentials("/", &[("sec-websocket-protocol", header)]);
            assert_eq!(found.protocol(), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_token_in_the_headers_is_always_a_part_of_them(
            junk in "[ -~\\t\u{e9}]{0,20}",
            scheme in "(?i:bearer|basic)?[ \\t]{0,2}",
            names in "(chat|bearer| |,){0,5}",
        ) {
            let authorization = format!("{scheme}{junk}");
            let protocols = format!("{names},{junk}");
            let found = credentials("/", &[
                ("authorization", &authorization),
                ("sec-websocket-protocol", &protocols),
            ]);
            if let Some(token) = found.bearer() {
                prop_assert!(!token.is_empty() && authorization.contains(token));
            }
            if let Some(token) = found.protocol() {
                prop_assert!(protocols.split(',').any(|name| name.trim() == token));
            }
        }

        #[test]
        fn a_token_in_the_query_is_always_one_of_its_decoded_values(
            query in "(token=|[a-z%=&+0-9.]){0,20}",
        ) {
            let found = credentials(&format!("/?{query}"), &[]);
            if let Some(token) = found.query("token") {
                let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
                let decoded = |text: &str| {
                    let text = text.replace('+', " ");
                    percent_decode_str(&text).decode_utf8_lossy().into_owned()
                };
                let sent = values.any(|(_, value)| decoded(value) == token);
                prop_assert!(sent || token.is_empty(), "{token:?} of {query:?}");
            }
        }
    }

    #[test]
    fn debug_shows_no_credential() {
        let found = credentials("/?token=secret", &[("cookie", "id=secret")]);
        assert!(!format!("{found:?}").contains("secret"));
    }
}
