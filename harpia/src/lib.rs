//! skeleton
#![allow(missing_docs)]
extern crate self as harpia;
#[doc(hidden)]
pub mod __private;
mod close;
mod error;
pub mod extract;
mod limits;
mod message;
mod outcome;
mod path;
pub mod route;
mod socket;
pub use close::CloseCode;
pub use error::{BoxError, Error, HandlerResult, OrClose, Result};
pub use extract::{Cookies, FromHandshake, Query, RemoteAddr, Url};
pub use harpia_macros::{FromHandshake, routes, ws_route};
pub use limits::{Options, Origins, Rate, Scope, Slow};
pub use message::{FromMessage, Json, Message};
pub use outcome::{Broadcast, HandlerOutput, MessageOutput};
pub use route::Route;
pub use server::{App, Router};
pub use socket::Socket;
mod server;
/// What most programs use.
pub mod prelude {
    pub use crate::{
        App, Broadcast, CloseCode, Cookies, FromHandshake, FromMessage, HandlerResult, Json,
        Message, OrClose, Query, RemoteAddr, Route, Router, Socket, Url, routes, ws_route,
    };
    pub use bytes::Bytes;
}
