//! Sessions: data in a store, under an id that the browser keeps in a cookie.
//!
//! # Log in with a form, then open a WebSocket
//!
//! 1. The page sends its form as an ordinary request.
//! 2. [`Session::login`] answers it. The data that your function returns becomes a new session, and
//!    the response sets the session's cookie.
//! 3. The browser sends the cookie with the WebSocket handshake, and `open` loads the session.
//!
//! Cloning a [`Session`] is cheap, and clones share the store. In this example axum serves the
//! pages. Any tower service works.
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
//! struct Visitor { #[from(default)] name: String }        // `open` fills it in
//!
//! struct Updates { sessions: Session<Profile> }
//!
//! #[ws_route("/profile-updates", data = Visitor, broadcast = off)]
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
//!     if form.password != "correct horse" {               // use a slow password hash instead
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
//! The example `example-profile` in the repository adds pages, a user and a logout.
//!
//! # Details
//!
//! - **Other forms**, also the logout, need a check of the origin: see
//!   [`is_same_origin`](crate::extract::is_same_origin). harpia checks only handshakes and its own
//!   [`login`](Session::login).
//! - **Windows.** All windows of a browser share the cookie. The last login applies to all of them.
//! - **No session.** A connection without a session is upgraded and then closed, so a page sees
//!   `onopen` before the close with 1008. After a restart, sessions in memory are lost. On 1008
//!   "Unauthorized", the page should show the login. For all other closes, let it wait longer
//!   before each new try, and reset the pause with the first message, not with `onopen`.
//! - **Logout.** Call [`delete`](Session::delete), and set
//!   [`removal_cookie`](Session::removal_cookie). Open connections stay open until
//!   [`Hub::disconnect_topic`](crate::Hub::disconnect_topic) closes them. The guide has the [whole
//!   handler](crate::guide::authentication#logout).
//! - **Sessions before a login**, for example for a shopping cart, need a new id with the login:
//!   call [`rotate`](Session::rotate). Otherwise an attacker could plant an id in the browser
//!   before the login and use it afterwards.
//! - **Expiry.** A session ends when it was not used for its [`ttl`](Session::ttl), and at its
//!   [`max_age`](Session::max_age). An open connection does not close then. To close it, call
//!   [`Socket::deadline`](crate::Socket::deadline).
//! - **Changes.** To change the session from a message, keep its id: see
//!   [`id_from_ws`](Session::id_from_ws).
//! - **Other sites.** A page of another site cannot open a connection in the visitor's name: its
//!   handshake is rejected unless the route lists its origin. On a route with `origins = any`,
//!   cookies are removed from the request, so there is no session.
//! - **Development.** Without TLS, the cookie may need [`insecure`](Session::insecure).
//!
//! # Stores
//!
//! | store | feature | serves | loses its sessions |
//! |---|---|---|---|
//! | [`MemoryStore`] | `session`, enabled by default | one node | when the program ends |
//! | `RedisStore` | `redis` | every node | depends on Redis |
//! | your own [`Store`] | `session` | | |

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
mod stamped;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::extract::{Cookies, CredentialSource};

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

/// Sessions with data of type `T`, which is kept as JSON in a store.
///
/// Clones share the store. An operation on a session that does not exist fails with
/// [`SessionError::NotFound`], which closes a connection with 1008 "Unauthorized". The
/// [module](self) shows a login with a page.
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
/// If a future is dropped, its operation on the store has happened completely or not at all.
pub struct Session<T, S = MemoryStore> {
    store: Arc<S>,
    config: Arc<SessionConfig>,
    format: Format<T>,
}

impl<T> Session<T> {
    /// Makes sessions in the memory of this process, in a [`MemoryStore::new`].
    ///
    /// This is also the `Default`, so that the state of a route can derive `Default`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory();
    /// ```
    pub fn memory() -> Self
    where
        T: SessionData,
    {
        Self::new(MemoryStore::new())
    }
}

impl<T, S: Store> Session<T, S> {
    /// Makes sessions in a store.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    /// use harpia::session::MemoryStore;
    ///
    /// let sessions = Session::<String>::new(MemoryStore::new().max_sessions(1_000));
    /// ```
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

    /// Returns the value of a `Set-Cookie` header for this session.
    ///
    /// Its `Debug` does not show the id.
    ///
    /// The cookie has no `Max-Age`, so a browser keeps it until the browser is closed. The session
    /// itself ends after its [`ttl`](Self::ttl) without use, and at its [`max_age`](Self::max_age).
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

    /// Returns the value of a `Set-Cookie` header that removes the session's cookie.
    ///
    /// A logout also checks the page's origin, deletes the session and closes its connections: see
    /// the [guide](crate::guide::authentication#logout).
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use http::Response;
    /// use http::header::SET_COOKIE;
    ///
    /// fn without_session(mut response: Response<()>, sessions: &Session<String>) -> Response<()> {
    ///     response.headers_mut().insert(SET_COOKIE, sessions.removal_cookie());
    ///     response
    /// }
    /// ```
    pub fn removal_cookie(&self) -> HeaderValue {
        self.config.cookie.remove()
    }

    /// Returns the id in the cookie of the handshake.
    ///
    /// Pass the [`Handshake`](crate::extract::Handshake) in `connect`, and the
    /// [`Socket`](crate::Socket) in `auth` and `open`. Keep the id in the connection's data to use
    /// the session later. This does not look in the store. [`get`](Self::get) tells whether the
    /// session exists.
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
    /// [`SessionError::NotFound`] if no cookie holds an id. [`SessionError::AfterOpen`] once `open`
    /// has returned.
    pub fn id_from_ws(&self, from: &impl CredentialSource) -> Result<SessionId, SessionError> {
        let credentials = from.credentials().ok_or(SessionError::AfterOpen)?;
        let cookie = credentials.cookie(&self.config.cookie.name);
        self.id_in(cookie.as_deref())
    }

    /// Returns the id in the cookies of an ordinary request.
    ///
    /// [`Cookies::from_headers`] parses the cookies.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] if no cookie holds an id.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::session::SessionError;
    /// use http::HeaderMap;
    ///
    /// async fn name(
    ///     sessions: &Session<String>,
    ///     headers: &HeaderMap,
    /// ) -> Result<String, SessionError> {
    ///     let id = sessions.id_from_cookies(&Cookies::from_headers(headers))?;
    ///     sessions.get(&id).await
    /// }
    /// ```
    pub fn id_from_cookies(&self, cookies: &Cookies) -> Result<SessionId, SessionError> {
        self.id_in(cookies.get(&self.config.cookie.name))
    }

    /// Deletes a session. Does nothing if it does not exist.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store cannot answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> HandlerResult {
    /// let sessions = Session::<u64>::memory();
    /// let id = sessions.create(7).await?;
    /// sessions.delete(&id).await?;
    /// assert!(sessions.get(&id).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, id: &SessionId) -> Result<(), SessionError> {
        self.store.remove(&self.key(id)).await
    }

    /// Gives a session a new id. The old id becomes invalid.
    ///
    /// Call this whenever the visitor gets more rights, for example with a login, and set the new
    /// [`cookie`](Self::cookie).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] if the session does not exist, or if another rotation came first.
    /// [`SessionError::Unavailable`] if the store cannot answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> HandlerResult {
    /// let sessions = Session::<u64>::memory();
    /// let old = sessions.create(7).await?;
    /// let new = sessions.rotate(&old).await?;
    /// assert!(sessions.get(&old).await.is_err());
    /// assert_eq!(sessions.get(&new).await?, 7);
    /// # Ok(())
    /// # }
    /// ```
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

    /// Makes the key in the store: the prefix and 32 digits, whatever the client sent.
    ///
    /// No other function makes a key.
    fn key(&self, id: &SessionId) -> String {
        [&self.config.key_prefix, id.as_str()].concat()
    }

    fn settings_mut(&mut self) -> &mut SessionConfig {
        Arc::make_mut(&mut self.config)
    }
}

/// Makes sessions in memory: see [`Session::memory`].
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

/// Prints the settings, and no session.
impl<T, S> fmt::Debug for Session<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("settings", &self.config)
            .finish_non_exhaustive()
    }
}
