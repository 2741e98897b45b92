//! Sessions: data of yours under an id that a browser keeps in a cookie.
//!
//! # Log in by form, then open the socket
//!
//! The page's form is an ordinary request. [`Session::login`] answers it: what the function returns is
//! the session's data, and the answer sets its cookie; the browser sends the cookie with the
//! WebSocket's handshake, and `open` finds the session by it. One [`Session`] serves both: it is cloned
//! at the price of two counters. Here axum serves the pages; any tower service does.
//!
//! ```no_run
//! use harpia::prelude::*;
//! use http::StatusCode;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, Serialize)]
//! struct Profile { name: String }
//!
//! #[derive(FromHandshake)]
//! struct Visitor { #[from(default)] name: String }           // until `open` has looked
//!
//! struct Updates { sessions: Session<Profile> }
//!
//! #[ws_route("/profile-updates", data = Visitor)]
//! impl Updates {
//!     async fn open(&self, ws: &mut Socket<Visitor>) -> HandlerResult {
//!         ws.data.name = self.sessions.from_ws(ws).await?.name;   // or 1008 "Unauthorized"
//!         ws.send(format!("Welcome back, {}!", ws.data.name));
//!         Ok(())
//!     }
//!
//!     fn message(&self, ws: &mut Socket<Visitor>, message: String) {
//!         println!("{}: {message}", ws.data.name);
//!     }
//! }
//!
//! #[derive(Deserialize)]
//! struct Form { name: String, password: String }
//!
//! async fn log_in(form: Form) -> Result<Profile, Rejection> {
//!     if form.password != "correct horse" {                  // yours: a slow hash of the password
//!         return Err(Rejection::new(StatusCode::FORBIDDEN, "wrong password"));
//!     }
//!     Ok(Profile { name: form.name })
//! }
//!
//! #[tokio::main]
//! async fn main() -> harpia::Result {
//!     let sessions = Session::memory();
//!     let login = sessions.login(log_in).redirect("/");
//!     let pages = axum::Router::new().route_service("/login", login);
//!     App::new().ws(Updates { sessions }).fallback(pages).listen("127.0.0.1:3000").await
//! }
//! ```
//!
//! The example `example-profile` in the repository is this with pages, a user and a logout.
//!
//! - Other forms are yours to guard, the logout too: harpia checks the origin of handshakes and of its
//!   [`login`](Session::login). [`is_same_origin`](crate::extract::is_same_origin) says what to refuse.
//! - All windows of a browser share the cookie: who logs in last is who they all are.
//! - A socket without a session is upgraded and then closed, so that a page sees `onopen` before the
//!   1008. After a restart sessions in memory are gone: on 1008, have the page log in again, with a
//!   pause that grows and is reset by the first message, not by `onopen`.
//! - Log out: [`delete`](Session::delete), and answer with [`removal_cookie`](Session::removal_cookie).
//!   Connections that are open stay open until
//!   [`Hub::disconnect_topic`](crate::Hub::disconnect_topic) ends them; its example shows how.
//! - Whoever had a session before the login, as for a basket, gets a new id with it:
//!   [`rotate`](Session::rotate). Else an id that was planted in the browser before the login is one
//!   of the logged-in visitor after it.
//! - A socket outlives its session: expiry ends no connection that is open. To end it too, close by
//!   [`Socket::deadline`](crate::Socket::deadline) after the session's `ttl`.
//! - To change the session from a message, keep its id: [`id_from_ws`](Session::id_from_ws).
//! - A page of another site cannot open the socket in the visitor's name: a handshake with a foreign
//!   `Origin` is refused unless the route lists it. With `origins = any` no session is read: each
//!   connection that needs one fails, and the log says why.
//! - On a developer's machine the cookie may need [`insecure`](Session::insecure).
//!
//! # Stores
//!
//! | store | feature | serves | lost |
//! |---|---|---|---|
//! | [`MemoryStore`] | `session`, on by default | one node | when the program ends |
//! | `RedisStore` | `redis` | every node | as Redis is set up |
//! | your [`Store`] | `session` | | |

mod config;
mod cookie;
mod data;
mod error;
mod expiring_map;
mod id;
mod login;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::extract::{AnyOrigin, Cookies};
use crate::socket::Socket;

use config::SessionConfig;
pub use cookie::SameSite;
use data::Format;
pub use data::SessionData;
pub use error::SessionError;
pub use id::SessionId;
pub use login::Login;
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use store::Store;

/// Sessions whose data is a `T`, kept as JSON in a store.
///
/// Clones share the store. Every operation is one of the [module's](self) guide; each fails with
/// [`SessionError::NotFound`] where there is no such session, which closes a connection with 1008
/// "Unauthorized".
///
/// ```
/// use harpia::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Profile { name: String, visits: u32 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> HandlerResult {
/// let sessions = Session::<Profile>::memory();
/// let id = sessions.create(Profile { name: "Ada".into(), visits: 0 }).await?;
/// let visits = sessions.update(&id, |profile| {
///     profile.visits += 1;
///     profile.visits
/// }).await?;
/// assert_eq!(visits, 1);
/// assert_eq!(sessions.get(&id).await?.name, "Ada");
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// A future that is dropped may have had its effect on the store or not; it has it whole or not at
/// all.
pub struct Session<T, S = MemoryStore> {
    store: Arc<S>,
    config: Arc<SessionConfig>,
    format: Format<T>,
}

impl<T> Session<T> {
    /// Makes sessions in this process's memory: [`MemoryStore::new`]. It is also the `Default`, so that
    /// a route's state may derive it.
    pub fn memory() -> Self
    where
        T: SessionData,
    {
        Self::new(MemoryStore::new())
    }
}

impl<T, S: Store> Session<T, S> {
    /// Makes sessions in a store.
    pub fn new(store: S) -> Self
    where
        T: SessionData,
    {
        Self {
            store: Arc::new(store),
            config: Arc::default(),
            format: Format::json(),
        }
    }

    /// Returns the value of a `Set-Cookie` header that gives a browser this session. `Debug` does not
    /// show it.
    ///
    /// It has no `Max-Age`: a session that is renewed in the store would outlive it.
    ///
    /// ```
    /// # use harpia::Session;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), harpia::session::SessionError> {
    /// let sessions = Session::<u64>::memory();
    /// let id = sessions.create(7).await?;
    /// let cookie = sessions.cookie(&id);
    /// assert!(cookie.to_str().unwrap().ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn cookie(&self, id: &SessionId) -> HeaderValue {
        self.config.cookie.set(id)
    }

    /// Returns the value of a `Set-Cookie` header that has a browser forget its session.
    pub fn removal_cookie(&self) -> HeaderValue {
        self.config.cookie.remove()
    }

    /// Returns the id that the handshake's cookie holds, to keep it in the connection's data.
    ///
    /// It does not ask the store: whether there is such a session, [`get`](Self::get) says.
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::session::SessionId;
    ///
    /// #[derive(FromHandshake)]
    /// struct Visit {
    ///     #[from(default)]
    ///     session: Option<SessionId>,
    /// }
    ///
    /// struct Counter { sessions: Session<u64> }
    ///
    /// #[ws_route("/counter", data = Visit, broadcast = off)]
    /// impl Counter {
    ///     async fn open(&self, ws: &mut Socket<Visit>) -> HandlerResult {
    ///         let id = self.sessions.id_from_ws(ws)?;
    ///         ws.send(self.sessions.get(&id).await?.to_string());
    ///         ws.data.session = Some(id);
    ///         Ok(())
    ///     }
    ///
    ///     async fn message(&self, ws: &mut Socket<Visit>) -> HandlerResult {
    ///         let id = ws.data.session.as_ref().or_close(1008, "Unauthorized")?;
    ///         let count = self.sessions.update(id, |count| { *count += 1; *count }).await?;
    ///         ws.send(count.to_string());
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] without a cookie that is an id; [`SessionError::AfterOpen`] once
    /// `open` has returned; [`SessionError::AnyOrigin`] where pages of any origin may connect.
    pub fn id_from_ws<D>(&self, ws: &Socket<D>) -> Result<SessionId, SessionError> {
        let credentials = ws.credentials().ok_or(SessionError::AfterOpen)?;
        let cookie = credentials.cookie(&self.config.cookie.name);
        self.id_in(
            cookie
                .map_err(|AnyOrigin| SessionError::AnyOrigin)?
                .as_deref(),
        )
    }

    /// Returns the id that stands in a request's cookies, for pages beside the socket:
    /// [`Cookies::from_headers`] reads them.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] without a cookie that is an id.
    pub fn id_from_cookies(&self, cookies: &Cookies) -> Result<SessionId, SessionError> {
        self.id_in(cookies.get(&self.config.cookie.name))
    }

    /// Ends a session; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] where the store cannot answer.
    pub async fn delete(&self, id: &SessionId) -> Result<(), SessionError> {
        self.store.remove(&self.key(id)).await
    }

    /// Gives a session a new id; from then on the old one has none.
    ///
    /// Do so whenever the visitor gets more rights, as by logging in, and set the new
    /// [`cookie`](Self::cookie).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] where there is no session, also if another rotation was first;
    /// [`SessionError::Unavailable`] where the store cannot answer.
    pub async fn rotate(&self, id: &SessionId) -> Result<SessionId, SessionError> {
        let new = SessionId::random()?;
        let (from, to) = (self.key(id), self.key(&new));
        match self.store.rename(&from, &to, self.config.ttl).await? {
            true => Ok(new),
            false => Err(SessionError::NotFound),
        }
    }

    fn id_in(&self, cookie: Option<&str>) -> Result<SessionId, SessionError> {
        cookie
            .and_then(SessionId::parse)
            .ok_or(SessionError::NotFound)
    }

    /// The only way to a key: whatever a client sent, it is the prefix and 32 digits.
    fn key(&self, id: &SessionId) -> String {
        [&self.config.key_prefix, id.as_str()].concat()
    }

    fn settings_mut(&mut self) -> &mut SessionConfig {
        Arc::make_mut(&mut self.config)
    }
}

/// In memory: [`Session::memory`].
impl<T: SessionData> Default for Session<T> {
    fn default() -> Self {
        Self::memory()
    }
}

impl<T, S> Clone for Session<T, S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            config: Arc::clone(&self.config),
            format: self.format,
        }
    }
}

/// How it is set up, nothing of what it holds.
impl<T, S> fmt::Debug for Session<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.config)
            .finish_non_exhaustive()
    }
}
