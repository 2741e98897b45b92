//! Making a connection's data from its handshake.
//!
//! [`FromHandshake`] is the trait of such data. This module has the types that implement it:
//! [`Cookies`], [`Url`], [`Query`] and [`RemoteAddr`].
//!
//! All of them copy the values that they keep. A kept header or URI would keep the whole buffer
//! alive that hyper read the request into, until the connection closes.

mod cookies;
#[cfg(any(feature = "jwt", feature = "session"))]
mod credentials;
mod handshake;
mod parts;
mod query;
mod rejection;
mod remote_addr;
mod value;

use std::future::Future;

use http::Request;

pub use cookies::Cookies;
#[cfg(fuzzing)]
pub(crate) use cookies::find as find_cookie;
#[cfg(any(feature = "jwt", feature = "session"))]
pub use credentials::CredentialSource;
#[cfg(any(feature = "jwt", feature = "session"))]
pub(crate) use credentials::{Credentials, Sealed};
pub use handshake::{Handshake, Source};
pub use parts::{Query, Url};
pub use rejection::{OrReject, Rejection};
pub use remote_addr::RemoteAddr;
pub use value::FromValue;

pub use crate::path::PathValues;

/// Returns whether a request comes from a page of the same origin, or from no page.
///
/// Use it for forms and APIs that the same program serves: a page of any site can send a `POST`
/// with its visitor's cookies.
///
/// The rule is that of handshakes ([`Origins::Same`](crate::Origins::Same)): the host and port of
/// `Origin` must equal those of `Host`, and if a proxy reports that the request came over TLS, the
/// page must have too. Programs that are not browsers send no `Origin`. Behind a proxy that
/// replaces `Host`, no page has the same origin.
///
/// ```
/// use harpia::extract::is_same_origin;
/// use http::Request;
///
/// # fn main() -> Result<(), http::Error> {
/// let request = || Request::post("/rename").header("host", "a.test");
/// let form = |origin| request().header("origin", origin).body(());
/// assert!(is_same_origin(&form("https://a.test")?));
/// assert!(!is_same_origin(&form("https://evil.test")?));
/// assert!(is_same_origin(&request().body(())?));
/// # Ok(())
/// # }
/// ```
pub fn is_same_origin<B>(request: &Request<B>) -> bool {
    crate::protocol::handshake::is_same_origin(request.headers(), request.uri())
}

/// Data that is made from a handshake and owned by the connection.
///
/// Derive it, or implement it by hand. To read fields of the route, such as a database, write a
/// [`connect` handler](macro@crate::ws_route#before-the-upgrade) instead.
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
/// The future is dropped if the client disconnects before the upgrade.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from a handshake",
    label = "not connection data",
    note = "a type of your own needs `#[derive(FromHandshake)]`",
    note = "a field with a single value says where it comes from: `#[from(query)]`, \
            `#[from(header)]`, `#[from(cookie)]`, `#[from(path)]`, `#[from(extension)]` or \
            `#[from(default)]`",
    note = "or make the data in a handler: `async fn connect(&self, request: &Handshake) -> \
            HandlerResult<{Self}>`"
)]
pub trait FromHandshake: Sized + Send + 'static {
    /// Whether the data reads cookies.
    ///
    /// If it does, a route with `origins = any` is rejected, since any page could act with the
    /// cookies of its visitor. The derive macro sets it. Set it to `true` in an implementation by
    /// hand that reads cookies.
    const READS_COOKIES: bool = false;

    /// The path parameters that the data reads. Each must be in the path of the route.
    const PATH_FIELDS: PathFields = PathFields::NONE;

    /// Makes the data, or rejects the handshake.
    ///
    /// # Errors
    ///
    /// The status and the text of the response that the client gets instead of the upgrade.
    fn from_handshake(
        handshake: &Handshake,
    ) -> impl Future<Output = Result<Self, Rejection>> + Send;
}

/// For routes without data.
impl FromHandshake for () {
    async fn from_handshake(_: &Handshake) -> Result<Self, Rejection> {
        Ok(())
    }
}

/// The names of the path parameters that a data type and its fields read.
///
/// `#[derive(FromHandshake)]` writes it. By hand:
///
/// ```
/// use harpia::extract::{FromHandshake, Handshake, PathFields, Rejection};
///
/// struct Room(String);
///
/// impl FromHandshake for Room {
///     const PATH_FIELDS: PathFields = PathFields { own: &["room"], nested: &[] };
///
///     async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
///         handshake.path_values().parse("room").map(Self)
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PathFields {
    /// The names that the type itself reads.
    pub own: &'static [&'static str],
    /// The names that the types of its fields read.
    pub nested: &'static [PathFields],
}

impl PathFields {
    /// No path parameter.
    pub const NONE: Self = Self {
        own: &[],
        nested: &[],
    };
}
