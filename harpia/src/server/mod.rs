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
//! | [`accept`] | the loop over new TCP connections, and HTTP on each of them |
//! | [`stream`] | the stream of an accepted client |
//! | [`upgrade`] | from a request to a connection |
//! | [`http`] | responses that are not an upgrade, and the fallback |
//! | [`refusal`] | the log lines of refused upgrades |
//! | [`shutdown`] | signals, and the stages of a shutdown |

mod accept;
mod app;
mod bind;
mod check;
mod defaults;
mod head;
mod http;
mod http1;
mod http_io;
mod opening;
mod refusal;
mod route_config;
mod router;
mod serve;
mod shutdown;
mod stream;
mod upgrade;

pub use app::{App, HttpRequest};
pub use http::RequestBody;
pub use router::Router;
pub use serve::Server;
