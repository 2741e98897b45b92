//! Data from parts of a handshake: its URL, its query, its cookies and its address.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_html_form::Deserializer;
use serde_path_to_error::Segment;

use crate::json::missing_field;

use super::{Cookies, FromHandshake, Handshake, Rejection, RemoteAddr, Source};

/// The path and the query of the handshake, as the client sent them.
///
/// The query may hold a token. So `Debug` hides it, and there is no `PartialEq`, since the time of
/// a comparison could reveal how much of two values is equal.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Files;
///
/// #[ws_route("/files/{name}", broadcast = off)]
/// impl Files {
///     fn open(&self, ws: &mut Socket<Url>) {
///         // For `/files/a%20b?version=2`:
///         println!("{}", ws.data.as_str());       // /files/a%20b?version=2
///         println!("{}", ws.data.path());         // /files/a%20b
///         println!("{:?}", ws.data.query());      // Some("version=2")
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Url {
    text: Box<str>,
    path_len: usize,
}

impl Url {
    /// Returns the path and the query, percent-encoded.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path, percent-encoded.
    pub fn path(&self) -> &str {
        &self.text[..self.path_len]
    }

    /// Returns the query: the part after the `?`, percent-encoded.
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_len + 1..)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Url").field(&self.path()).finish()
    }
}

impl FromHandshake for Url {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        // In absolute form the path may be empty, as in `http://host?room=1`, and counts as `/`.
        let path = handshake.uri.path();
        let text = match handshake.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        Ok(Self {
            text: text.into(),
            path_len: path.len(),
        })
    }
}

impl FromHandshake for Cookies {
    const READS_COOKIES: bool = true;

    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        Ok(Self::from_headers(handshake.headers()))
    }
}

/// The whole query, deserialized into a type of your own.
///
/// If a parameter is missing or invalid, the client gets a 400 that names the parameter.
///
/// ```
/// use harpia::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Page { from: u32, topics: Vec<String> }
///
/// #[derive(FromHandshake)]
/// struct Reader { page: Query<Page> }     // ?from=20&topics=rust&topics=tokio
///
/// struct Feed;
///
/// #[ws_route("/feed", data = Reader, broadcast = off)]
/// impl Feed {
///     fn open(&self, ws: &mut Socket<Reader>) {
///         let Query(page) = &ws.data.page;
///         ws.send(format!("{:?} from {}", page.topics, page.from));
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> FromHandshake for Query<T> {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        let query = handshake.uri.query().unwrap_or_default();
        serde_path_to_error::deserialize(Deserializer::from_bytes(query.as_bytes()))
            .map(Self)
            .map_err(|error| rejection(&error))
    }
}

/// Makes a rejection that names the parameter. Unlike serde's own message, it never quotes the
/// value.
fn rejection(error: &serde_path_to_error::Error<serde_html_form::de::Error>) -> Rejection {
    let source = Source::Query;
    if let Some(Segment::Map { key }) = error.path().iter().next() {
        return Rejection::bad_request(format!("invalid {source} `{key}`"));
    }
    // A missing field has no path: only serde's message names it.
    let text = error.inner().to_string();
    Rejection::bad_request(match missing_field(&text) {
        Some(name) => format!("missing {source} `{name}`"),
        None => "invalid query".to_owned(),
    })
}

impl FromHandshake for RemoteAddr {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        Ok(handshake.remote_addr)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::net::SocketAddr;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use http::{HeaderMap, Uri};
    use serde::Deserialize;

    use super::*;

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 1))
    }

    fn rejected<T: DeserializeOwned + Send + 'static>(uri: &'static str) -> String {
        let handshake = Handshake::new(Uri::from_static(uri), HeaderMap::new(), address());
        let read = pin!(Query::<T>::from_handshake(&handshake));
        match read.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(rejection)) if rejection.status() == 400 => rejection.message().into(),
            _ => panic!("{uri} was not rejected with 400"),
        }
    }

    #[test]
    fn a_url_is_cut_at_its_query_also_in_absolute_form_and_with_an_empty_path() {
        for (uri, path, query) in [
            ("/a%20b?c=d", "/a%20b", Some("c=d")),
            ("/a", "/a", None),
            ("/a?", "/a", Some("")),
            ("http://a?room=1", "/", Some("room=1")),
            ("http://a", "/", None),
            ("http://a/b?c", "/b", Some("c")),
        ] {
            let handshake = Handshake::new(Uri::from_static(uri), HeaderMap::new(), address());
            let read = pin!(Url::from_handshake(&handshake));
            let Poll::Ready(Ok(url)) = read.poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("{uri} was rejected");
            };
            assert_eq!((url.path(), url.query()), (path, query), "{uri}");
        }
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Order {
        Newest,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "the test only looks at rejections")]
    struct Page {
        from: u32,
        #[serde(rename = "o")]
        order: Option<Order>,
        #[serde(default)]
        topics: Vec<u8>,
    }

    #[test]
    fn a_rejected_query_names_the_parameter_and_never_quotes_a_value() {
        for (uri, text) in [
            ("/?from=secret", "invalid query parameter `from`"),
            ("/?from=1&from=2", "invalid query parameter `from`"),
            ("/?from=1&o=secret", "invalid query parameter `o`"),
            ("/?from=1&topics=secret", "invalid query parameter `topics`"),
            (
                "/?from=1&topics=1&topics=secret",
                "invalid query parameter `topics`",
            ),
            ("/?from=1&more=secret", "invalid query parameter `more`"),
            ("/?o=newest", "missing query parameter `from`"),
            ("/", "missing query parameter `from`"),
        ] {
            assert_eq!(rejected::<Page>(uri), text, "{uri}");
        }
    }

    #[test]
    fn a_mistake_of_no_single_parameter_is_an_invalid_query() {
        #[derive(Deserialize)]
        #[serde(try_from = "Ends")]
        struct Range;
        #[derive(Deserialize)]
        struct Ends {
            from: u8,
            to: u8,
        }
        impl TryFrom<Ends> for Range {
            type Error = String;

            fn try_from(pair: Ends) -> Result<Self, String> {
                Err(format!("{} is above {}", pair.from, pair.to))
            }
        }
        assert_eq!(rejected::<Range>("/?from=77&to=33"), "invalid query");
        assert_eq!(rejected::<Vec<(String, u8)>>("/?a=secret"), "invalid query");
    }
}
