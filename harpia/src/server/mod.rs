//! The server: what a program builds, and how a request becomes a connection.
//!
//! | file | contents |
//! |---|---|
//! | [`app`] | `App`: routes, fallback, limits of the whole server |
//! | [`defaults`] | the methods of `App` that set the defaults of route options |
//! | [`bind`] | the methods of `App` that start it |
//! | [`check`] | which settings are valid |
//! | [`route_config`] | the merge of a route's options with the defaults |
//! | [`router`] | `Router`, and the route of a path |
//! | [`serve`] | `Server`: serves until a shutdown |
//! | [`listen`] | what a server listens on |
//! | [`accept`] | the loop over new connections |
//! | [`context`] | what the opening of each connection needs of its server |
//! | [`stream`] | the stream of an accepted client |
//! | `tls` | certificates and TLS handshakes |
//! | [`proxies`] | the address of a client behind trusted proxies |
//! | [`preamble`] | what comes before a request: the header of a proxy, and the TLS handshake |
//! | [`opening`] | the task of a client: its request head, the 101, and then its connection |
//! | [`head`] | reads and parses a request head |
//! | [`upgrade`] | checks an upgrade and makes its connection |
//! | [`refusal`] | the responses to refused upgrades, and their log lines |
//! | [`http1`] | every other request, with hyper |
//! | [`http_io`] | the stream that hyper reads and writes, with its limit on progress |
//! | [`http`] | response bodies, and what the fallback gets |
//! | [`shutdown`] | signals, and the stages of a shutdown |

mod accept;
mod admission;
mod app;
mod bind;
mod check;
mod context;
mod defaults;
mod head;
mod http;
mod http1;
mod http_io;
pub(crate) mod listen;
mod open_files;
mod opening;
mod preamble;
mod proxies;
mod refusal;
mod route_config;
mod router;
mod serve;
mod shutdown;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;

pub use app::{App, HttpRequest};
#[cfg(fuzzing)]
pub(crate) use head::FirstBytes;
pub use http::RequestBody;
pub use proxies::ForwardedHeader;
#[cfg(fuzzing)]
pub(crate) use proxies::Proxies;
pub use router::Router;
pub use serve::Server;
#[cfg(feature = "tls")]
pub use tls::Tls;
