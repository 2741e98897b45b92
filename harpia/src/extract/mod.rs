//! What a connection's data is made of: the handshake, and the types that extract themselves.
//!
//! Everything here copies what it keeps: a kept header value or URI would pin the whole
//! buffer that hyper read the request's head into, for as long as the connection lives.

mod alarm;
mod cookies;
#[cfg(any(feature = "jwt", feature = "session"))]
mod credentials;
mod handshake;
mod parts;
mod rejection;
mod value;

use std::future::Future;

use http::Request;

pub(crate) use alarm::CookieAlarm;
pub use cookies::Cookies;
#[cfg(any(feature = "jwt", feature = "session"))]
pub(crate) use credentials::{AnyOrigin, Credentials};
pub use handshake::{Handshake, Source};
pub use parts::{Query, RemoteAddr, Url};
pub use rejection::Rejection;
pub use value::FromValue;

pub use crate::path::PathValues;

/// Says whether a request comes from a page of the server's own origin, or from no page at all: for
/// the forms and APIs beside the sockets, which any site's page can send a `POST` to with its
/// visitor's cookies.
///
/// The origin is the one of the default for handshakes: host and port of `Origin` are those of `Host`,
/// and a page without TLS is none where a proxy says that the request had it. Programs send no
/// `Origin`. Behind a proxy that puts another `Host` in its place, nothing is of this origin.
///
/// ```
/// use harpia::extract::is_same_origin;
/// use http::Request;
///
/// # fn main() -> Result<(), http::Error> {
/// let form = |origin| Request::post("/rename").header("host", "a.test").header("origin", origin).body(());
/// assert!(is_same_origin(&form("https://a.test")?));
/// assert!(!is_same_origin(&form("https://evil.test")?));
/// assert!(is_same_origin(&Request::post("/rename").header("host", "a.test").body(())?));
/// # Ok(())
/// # }
/// ```
pub fn is_same_origin<B>(request: &Request<B>) -> bool {
    crate::protocol::handshake::is_same_origin(request.headers(), request.uri())
}

/// Data that is made from a handshake, then owned by the connection.
///
/// Derive it, or write it by hand to await something before the upgrade:
///
/// ```
/// use harpia::extract::{FromHandshake, Handshake, Rejection};
///
/// struct Tenant(String);
///
/// impl FromHandshake for Tenant {
///     async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
///         let host = handshake.header("host").unwrap_or_default();
///         match host.split_once('.') {
///             Some((tenant, _)) => Ok(Self(tenant.to_owned())),
///             None => Err(Rejection::not_found("no tenant in the host name")),
///         }
///     }
/// }
/// ```
///
/// # Cancel safety
///
/// The future is dropped when the client goes away before the upgrade.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from a handshake",
    label = "not connection data",
    note = "a type of your own needs `#[derive(FromHandshake)]`",
    note = "a field with a single value says where it comes from: `#[from(query)]`, \
            `#[from(header)]`, `#[from(cookie)]`, `#[from(path)]` or `#[from(default)]`"
)]
pub trait FromHandshake: Sized + Send + 'static {
    /// Whether the data reads cookies; then `origins = any` is refused for its routes, since any
    /// page could act with the cookies of its visitor. Written by hand, say `true` if it does.
    const READS_COOKIES: bool = false;

    /// The path parameters that the data reads; each must stand in the route's path.
    const PATH_FIELDS: PathFields = PathFields::NONE;

    /// Makes the data, or refuses the upgrade.
    ///
    /// # Errors
    ///
    /// The status and text that the client is answered with in place of the upgrade.
    fn from_handshake(
        handshake: &Handshake,
    ) -> impl Future<Output = Result<Self, Rejection>> + Send;
}

/// No data: for routes that need none.
impl FromHandshake for () {
    async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
        Ok(())
    }
}

/// The names of path parameters that a data type reads, its own and those of its fields.
#[derive(Clone, Copy, Debug)]
pub struct PathFields {
    /// Names that the type itself reads.
    pub own: &'static [&'static str],
    /// What the types of its fields read.
    pub nested: &'static [PathFields],
}

impl PathFields {
    /// Reads no path parameter.
    pub const NONE: Self = Self {
        own: &[],
        nested: &[],
    };
}
