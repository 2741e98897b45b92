//! How a session is set up: times, names, and the cookie's attributes.

use std::time::Duration;

use crate::limits::{MAX_SESSION_TTL, SESSION_TTL};
use crate::protocol::header::is_token;

use super::cookie::{CookieSettings, SameSite, is_attribute};
use super::{Session, SessionData, Store};

/// What all sessions of one kind share.
#[derive(Clone, Debug)]
pub(super) struct SessionConfig {
    pub(super) ttl: Duration,
    pub(super) key_prefix: Box<str>,
    pub(super) cookie: CookieSettings,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            ttl: SESSION_TTL,
            key_prefix: "harpia:session:".into(),
            cookie: CookieSettings::default(),
        }
    }
}

/// How a session is set up. What contradicts itself, so that browsers would drop the cookie without a
/// word, panics: a `__Host-` name with a domain, another path or `insecure`, and
/// [`SameSite::None`] with `insecure`.
impl<T: SessionData, S: Store> Session<T, S> {
    /// Sets how long a session lives unused: 24 hours unless set. Each [`get`](Self::get),
    /// [`update`](Self::update) and [`rotate`](Self::rotate) gives it this time again.
    ///
    /// An open connection does not renew its session: it has been let in already, and outlives it.
    /// At most 400 days.
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        assert!(
            ttl >= Duration::from_millis(1),
            "a session with no time to live is none"
        );
        self.settings_mut().ttl = ttl.min(MAX_SESSION_TTL);
        self
    }

    /// Sets what stands before the id in the store's keys: `harpia:session:` unless set.
    ///
    /// Two kinds of sessions in one store need different ones: else the id of one is an id of the
    /// other.
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.settings_mut().key_prefix = prefix.into();
        self
    }

    /// Sets the cookie's name: `session_id` unless set.
    ///
    /// With `__Host-` before it, browsers take the cookie only from this very host, over https and
    /// for the path `/`, so that no neighbouring subdomain can plant one.
    ///
    /// # Panics
    ///
    /// If it is no name of a cookie.
    pub fn cookie_name(mut self, name: &str) -> Self {
        assert!(is_token(name), "`{name}` is no name of a cookie");
        self.settings_mut().cookie.name = name.into();
        self.consistent()
    }

    /// Sets the path below which browsers send the cookie: `/` unless set.
    ///
    /// # Panics
    ///
    /// If it contains what a cookie's attribute cannot.
    pub fn path(mut self, path: &str) -> Self {
        assert!(is_attribute(path), "`{path}` is no path of a cookie");
        self.settings_mut().cookie.path = path.into();
        self.consistent()
    }

    /// Has browsers send the cookie to this domain and all below it. Unless set, only the very host
    /// that set it gets it.
    ///
    /// # Panics
    ///
    /// If it contains what a cookie's attribute cannot.
    pub fn domain(mut self, domain: &str) -> Self {
        assert!(is_attribute(domain), "`{domain}` is no domain of a cookie");
        self.settings_mut().cookie.domain = Some(domain.into());
        self.consistent()
    }

    /// Sets when browsers send the cookie with what another site has caused:
    /// [`Lax`](SameSite::Lax) unless set.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.settings_mut().cookie.same_site = same_site;
        self.consistent()
    }

    /// Leaves `Secure` out, for plain http where the browser is not on the server's own machine, as
    /// on a phone beside it.
    ///
    /// A browser that drops the cookie is seen by this: the login succeeds, and the socket is closed
    /// with 1008 all the same. On `http://localhost` and `http://127.0.0.1` Chromium keeps a `Secure`
    /// cookie. In production whoever is on the way could read it.
    pub fn insecure(mut self) -> Self {
        self.settings_mut().cookie.secure = false;
        self.consistent()
    }

    fn consistent(self) -> Self {
        if let Some(contradiction) = self.config.cookie.contradiction() {
            panic!("{contradiction}");
        }
        self
    }
}
