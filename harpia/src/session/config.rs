//! The settings of sessions: time to live, key prefix, and the cookie.

use std::time::Duration;

use crate::limits::{MAX_SESSION_TTL, SESSION_MAX_AGE, SESSION_TTL};
use crate::protocol::header::is_token;

use super::cookie::{CookieSettings, SameSite, is_attribute};
use super::{Session, Store};

/// The settings of one kind of sessions.
#[derive(Clone, Debug)]
pub(super) struct SessionConfig {
    pub(super) ttl: Duration,
    pub(super) max_age: Duration,
    pub(super) key_prefix: Box<str>,
    pub(super) cookie: CookieSettings,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            ttl: SESSION_TTL,
            max_age: SESSION_MAX_AGE,
            key_prefix: "harpia:session:".into(),
            cookie: CookieSettings::default(),
        }
    }
}

/// Settings.
///
/// # Panics
///
/// The methods panic if browsers would silently drop the cookie: a `__Host-` name needs the path
/// `/`, no domain, and no [`insecure`](Self::insecure). A `__Secure-` name and [`SameSite::None`]
/// also exclude `insecure`.
impl<T, S: Store> Session<T, S> {
    /// Sets how long a session lives without being used.
    ///
    /// Default: 24 hours. At most 400 days.
    ///
    /// Each [`get`](Self::get), [`update`](Self::update) and [`rotate`](Self::rotate) renews the
    /// time. An open connection does not renew it, and does not close when its session expires.
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory().ttl(Duration::from_secs(30 * 60));
    /// ```
    pub fn ttl(mut self, ttl: Duration) -> Self {
        assert!(
            ttl >= Duration::from_millis(1),
            "the time to live of a session must be at least one millisecond"
        );
        self.settings_mut().ttl = ttl.min(MAX_SESSION_TTL);
        self
    }

    /// Sets how long a session can live in all, however much it is used. Default: 30 days.
    ///
    /// The time begins with [`create`](Self::create) or [`login`](Self::login). Neither
    /// [`update`](Self::update) nor [`rotate`](Self::rotate) begins it again. After it, the session
    /// is deleted when it is used the next time, and the visitor has to log in. So a stolen session
    /// that is kept alive ends, too.
    ///
    /// An open connection does not close when its session ends. To close it, call
    /// [`Socket::deadline`](crate::Socket::deadline).
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory().max_age(Duration::from_secs(12 * 60 * 60));
    /// ```
    pub fn max_age(mut self, max_age: Duration) -> Self {
        assert!(
            max_age >= Duration::from_millis(1),
            "the maximum age of a session must be at least one millisecond"
        );
        self.settings_mut().max_age = max_age;
        self
    }

    /// Sets the prefix of the keys in the store. Default: `harpia:session:`.
    ///
    /// Two kinds of sessions in one store need different prefixes. Else an id of one kind is valid
    /// for the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    ///
    /// let admins = Session::<String>::memory().key_prefix("shop:admin:");
    /// ```
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.settings_mut().key_prefix = prefix.into();
        self
    }

    /// Sets the name of the cookie. Default: `session_id`.
    ///
    /// Browsers accept a cookie whose name starts with `__Host-` only from this host, over HTTPS
    /// and for the path `/`. So no other subdomain can plant one.
    ///
    /// # Panics
    ///
    /// If it is not a valid name of a cookie.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory().cookie_name("__Host-session");
    /// ```
    pub fn cookie_name(mut self, name: &str) -> Self {
        assert!(is_token(name), "`{name}` is not a valid name of a cookie");
        self.settings_mut().cookie.name = name.into();
        self.consistent()
    }

    /// Sets the path below which browsers send the cookie. Default: `/`.
    ///
    /// # Panics
    ///
    /// If it is not a valid value of an attribute, for example if it has a `;`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory().path("/chat");
    /// ```
    pub fn path(mut self, path: &str) -> Self {
        assert!(
            is_attribute(path),
            "`{path}` is not a valid path of a cookie"
        );
        self.settings_mut().cookie.path = path.into();
        self.consistent()
    }

    /// Makes browsers send the cookie to this domain and all its subdomains.
    ///
    /// Default: browsers send it only to the host that set it.
    ///
    /// # Panics
    ///
    /// If it is not a valid value of an attribute, for example if it has a `;`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory().domain("example.com");
    /// ```
    pub fn domain(mut self, domain: &str) -> Self {
        assert!(
            is_attribute(domain),
            "`{domain}` is not a valid domain of a cookie"
        );
        self.settings_mut().cookie.domain = Some(domain.into());
        self.consistent()
    }

    /// Sets whether browsers send the cookie with requests that another site causes.
    ///
    /// Default: [`Lax`](SameSite::Lax). See [`SameSite`] for an example.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.settings_mut().cookie.same_site = same_site;
        self.consistent()
    }

    /// Leaves `Secure` out of the cookie, to test over plain HTTP from another machine.
    ///
    /// Without it, a browser drops the cookie over plain HTTP: the login succeeds, and the
    /// connection is closed with 1008. Chromium keeps a `Secure` cookie on `http://localhost` and
    /// `http://127.0.0.1`. Do not use it in production, where an attacker on the network could read
    /// the cookie.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Session;
    ///
    /// let sessions = Session::<String>::memory();
    /// let sessions = if cfg!(debug_assertions) { sessions.insecure() } else { sessions };
    /// ```
    pub fn insecure(mut self) -> Self {
        self.settings_mut().cookie.secure = false;
        self.consistent()
    }

    /// Panics if the settings contradict each other.
    fn consistent(self) -> Self {
        if let Some(contradiction) = self.config.cookie.contradiction() {
            panic!("{contradiction}");
        }
        self
    }
}
