//! The parts of a handshake that are whole types: its URL, its query, its sender.

use std::fmt;
use std::net::SocketAddr;

use serde::de::DeserializeOwned;
use serde_html_form::Deserializer;
use serde_path_to_error::Segment;

use crate::json::missing_field;

use super::{FromHandshake, Handshake, Rejection, Source};

/// Path and query of the handshake, as requested.
///
/// The query may hold a token: `Debug` leaves it out, and nothing compares two of them, which would
/// tell by its time how far they agree.
#[derive(Clone)]
pub struct Url {
    text: Box<str>,
    path_len: usize,
}

impl Url {
    /// Returns path and query, percent-encoded as they came.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path, percent-encoded as it came.
    pub fn path(&self) -> &str {
        &self.text[..self.path_len]
    }

    /// Returns what stands behind the `?`.
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
        let text = handshake
            .uri
            .path_and_query()
            .map_or("/", |both| both.as_str());
        Ok(Self {
            text: text.into(),
            path_len: handshake.uri.path().len(),
        })
    }
}

/// The whole query, read into a type of your own by serde.
///
/// What is missing or does not parse refuses the upgrade with a 400 that names the parameter.
///
/// ```
/// use harpia::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Page { from: u32, topics: Vec<String> }
///
/// #[derive(FromHandshake)]
/// struct Feed { page: Query<Page> }     // ?from=20&topics=rust&topics=tokio
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

/// Names the parameter. Its value is never repeated, which serde's own text may do.
fn rejection(error: &serde_path_to_error::Error<serde_html_form::de::Error>) -> Rejection {
    let source = Source::Query;
    if let Some(Segment::Map { key }) = error.path().iter().next() {
        return Rejection::bad_request(format!("invalid {source} `{key}`"));
    }
    // A field that is missing stands nowhere in the input: only serde's text tells which it is.
    let text = error.inner().to_string();
    Rejection::bad_request(match missing_field(&text) {
        Some(name) => format!("missing {source} `{name}`"),
        None => "invalid query".to_owned(),
    })
}

/// The address at the other end of the TCP connection: behind a proxy, the proxy's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RemoteAddr(pub SocketAddr);

impl FromHandshake for RemoteAddr {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        Ok(Self(handshake.remote_addr))
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use http::{HeaderMap, Uri};
    use serde::Deserialize;

    use super::*;

    fn refusal<T: DeserializeOwned + Send + 'static>(uri: &'static str) -> String {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let handshake = Handshake::new(Uri::from_static(uri), HeaderMap::new(), address);
        let read = pin!(Query::<T>::from_handshake(&handshake));
        match read.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(rejection)) if rejection.status() == 400 => rejection.message().into(),
            _ => panic!("{uri} was not refused with 400"),
        }
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Order {
        Newest,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only refusals are looked at")]
    struct Page {
        from: u32,
        #[serde(rename = "o")]
        order: Option<Order>,
        #[serde(default)]
        topics: Vec<u8>,
    }

    #[test]
    fn a_query_names_what_is_missing_or_wrong_and_never_repeats_a_value() {
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
            assert_eq!(refusal::<Page>(uri), text, "{uri}");
        }
    }

    #[test]
    fn what_no_single_parameter_is_at_fault_for_is_told_without_serdes_words() {
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
        assert_eq!(refusal::<Range>("/?from=77&to=33"), "invalid query");
        assert_eq!(refusal::<Vec<(String, u8)>>("/?a=secret"), "invalid query");
    }
}
