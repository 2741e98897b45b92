//! The cookie that holds the id of a session: its name and its attributes.

use cookie::Cookie;
use http::HeaderValue;

use super::SessionId;

/// Whether a browser sends the cookie with requests that another site causes.
///
/// ```
/// use harpia::Session;
/// use harpia::session::SameSite;
///
/// let sessions = Session::<String>::memory().same_site(SameSite::Strict);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum SameSite {
    /// The cookie is never sent with such requests.
    Strict,
    /// The cookie is sent when the visitor follows a link to this site. This is the default.
    #[default]
    Lax,
    /// The cookie is always sent, for example for a page in a frame of another site. Browsers
    /// require `Secure`.
    None,
}

/// The name and the attributes of the cookie.
#[derive(Clone, Debug)]
pub(super) struct CookieSettings {
    pub(super) name: Box<str>,
    pub(super) path: Box<str>,
    pub(super) domain: Option<Box<str>>,
    pub(super) same_site: SameSite,
    pub(super) secure: bool,
}

impl CookieSettings {
    pub(super) fn set(&self, id: &SessionId) -> HeaderValue {
        header(&self.cookie(id.as_str()))
    }

    pub(super) fn remove(&self) -> HeaderValue {
        let mut cookie = self.cookie("");
        cookie.make_removal();
        header(&cookie)
    }

    /// Returns why browsers would silently drop the cookie, if they would.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        // Browsers ignore case here.
        let has_prefix = |prefix: &str| {
            let start = self.name.get(..prefix.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if self.secure {
            let is_of_host = self.domain.is_none() && &*self.path == "/";
            let is_wrong = has_prefix("__Host-") && !is_of_host;
            return is_wrong.then_some("a `__Host-` cookie must have the path `/` and no domain");
        }
        if has_prefix("__Host-") || has_prefix("__Secure-") {
            return Some("a `__Host-` or `__Secure-` cookie cannot be `insecure`");
        }
        let is_wrong = self.same_site == SameSite::None;
        is_wrong.then_some("`SameSite::None` cannot be `insecure`")
    }

    fn cookie<'a>(&'a self, value: &'a str) -> Cookie<'a> {
        let mut cookie = Cookie::build((&*self.name, value))
            .path(&*self.path)
            .secure(self.secure)
            .http_only(true)
            .same_site(match self.same_site {
                SameSite::Strict => cookie::SameSite::Strict,
                SameSite::Lax => cookie::SameSite::Lax,
                SameSite::None => cookie::SameSite::None,
            });
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(&**domain);
        }
        cookie.build()
    }
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self {
            name: "session_id".into(),
            path: "/".into(),
            domain: None,
            same_site: SameSite::Lax,
            secure: true,
        }
    }
}

/// Makes the header. It is marked as sensitive, so that `Debug` of a response does not show the id.
fn header(cookie: &Cookie<'_>) -> HeaderValue {
    // The id is digits, and the settings accept only names that pass `is_token` and attributes that
    // pass `is_attribute`, which are visible ASCII.
    let mut value = HeaderValue::try_from(cookie.to_string()).expect("visible ASCII");
    value.set_sensitive(true);
    value
}

/// Returns whether a text can be the value of an attribute (RFC 6265 section 4.1.1).
pub(super) fn is_attribute(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b';';
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Cookies;
    use crate::protocol::header::is_token;

    #[test]
    fn the_default_attributes_are_safe() {
        let id = SessionId::random().unwrap();
        assert_eq!(
            CookieSettings::default().set(&id),
            format!(
                "session_id={}; HttpOnly; SameSite=Lax; Secure; Path=/",
                id.as_str()
            )
        );
        let other = CookieSettings {
            name: "chat".into(),
            path: "/chat".into(),
            domain: Some("example.com".into()),
            same_site: SameSite::Strict,
            secure: false,
        };
        assert_eq!(
            other.set(&id),
            format!(
                "chat={}; HttpOnly; SameSite=Strict; Path=/chat; Domain=example.com",
                id.as_str()
            )
        );
    }

    #[test]
    fn debug_of_a_response_shows_no_id() {
        let set = CookieSettings::default().set(&SessionId::random().unwrap());
        assert_eq!(format!("{set:?}"), "Sensitive");
    }

    #[test]
    fn attributes_that_make_browsers_drop_the_cookie_are_a_contradiction() {
        let host = || CookieSettings {
            name: "__host-id".into(),
            ..CookieSettings::default()
        };
        assert_eq!(host().contradiction(), None);
        assert_eq!(CookieSettings::default().contradiction(), None);
        let wrong = [
            CookieSettings {
                path: "/chat".into(),
                ..host()
            },
            CookieSettings {
                domain: Some("example.com".into()),
                ..host()
            },
            CookieSettings {
                secure: false,
                ..host()
            },
            CookieSettings {
                secure: false,
                same_site: SameSite::None,
                ..CookieSettings::default()
            },
        ];
        for settings in wrong {
            assert!(settings.contradiction().is_some(), "{settings:?}");
        }
    }

    #[test]
    fn a_removal_names_the_same_cookie_and_expires_at_once() {
        let removal = CookieSettings::default().remove();
        let removal = removal.to_str().unwrap();
        assert!(removal.starts_with("session_id=; "), "{removal}");
        for part in ["Path=/", "Max-Age=0", "Expires=", "Secure"] {
            assert!(removal.contains(part), "{part} in {removal}");
        }
    }

    #[test]
    fn an_id_that_is_set_is_read_back() {
        for _ in 0..100 {
            let id = SessionId::random().unwrap();
            let set = CookieSettings::default().set(&id);
            // A browser sends the part before the first semicolon.
            let sent = set.to_str().unwrap().split(';').next().unwrap();
            let cookies = Cookies::parse(&format!("a=1; {sent}; b=2"));
            let read = cookies.get("session_id").and_then(SessionId::parse);
            assert_eq!(read, Some(id));
        }
    }

    #[test]
    fn names_and_attributes_cannot_add_another_attribute() {
        for name in ["", "a=b", "a;b", "a b", "a\r\n", "ü"] {
            assert!(!is_token(name), "{name:?}");
        }
        assert!(is_token("__Host-session"));
        for value in ["", "/; Domain=evil", "/\r\nSet-Cookie: a=b"] {
            assert!(!is_attribute(value), "{value:?}");
        }
        assert!(is_attribute("/chat/a b"));
    }
}
