//! How a session is set up: times, names, and the cookie's attributes.

use std::time::Duration;

use super::cookie::{CookieSettings, SameSite, is_attribute, is_name};
use super::{Session, Store};

/// What all sessions of one kind share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) ttl: Duration,
    pub(super) key_prefix: Box<str>,
    pub(super) cookie: CookieSettings,
}

/// Longer than a browser keeps a cookie, and far from what a clock or a store cannot count.
const MAX_TTL: Duration = Duration::from_secs(400 * 24 * 3600);

impl Default for Settings {
    fn default() -> Self {
        Self {
            // Who comes every day stays logged in; what is stolen and unused dies within one.
            ttl: Duration::from_secs(24 * 3600),
            key_prefix: "harpia:session:".into(),
            cookie: CookieSettings::default(),
        }
    }
}

/// How a session is set up.
impl<T, S: Store> Session<T, S> {
    /// Sets how long a session lives unused: 24 hours unless set. Each [`get`](Self::get),
    /// [`update`](Self::update) and [`rotate`](Self::rotate) gives it this time again.
    ///
    /// An open connection does not renew its session: it has been let in already. At most 400 days,
    /// at least a millisecond.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings_mut().ttl = ttl.clamp(Duration::from_millis(1), MAX_TTL);
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
        assert!(is_name(name), "`{name}` is no name of a cookie");
        self.settings_mut().cookie.name = name.into();
        self
    }

    /// Sets the path below which browsers send the cookie: `/` unless set.
    ///
    /// # Panics
    ///
    /// If it contains what a cookie's attribute cannot.
    pub fn path(mut self, path: &str) -> Self {
        assert!(is_attribute(path), "`{path}` is no path of a cookie");
        self.settings_mut().cookie.path = path.into();
        self
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
        self
    }

    /// Sets when browsers send the cookie with what another site has caused:
    /// [`Lax`](SameSite::Lax) unless set.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.settings_mut().cookie.same_site = same_site;
        self
    }

    /// Leaves `Secure` out, for http on a developer's machine.
    ///
    /// Chromium and Firefox take `http://localhost` for secure, so that they need this only for
    /// `http://127.0.0.1` and other names; Safari needs it for both. In production whoever is on the
    /// way could read the cookie.
    pub fn insecure(mut self) -> Self {
        self.settings_mut().cookie.secure = false;
        self
    }
}
