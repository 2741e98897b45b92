//! A route in an `Arc`, which the application shares.

use std::sync::Arc;

use crate::close::CloseCode;
use crate::error::{BoxError, Error};
use crate::extract::{Handshake, PathFields, PathValues, Rejection};
use crate::message::Message;
use crate::options::Options;
use crate::outcome::Broadcast;
use crate::socket::Socket;

use super::{Inline, IntoRoute, Route};

/// Runs the handlers of a route in an `Arc`.
///
/// `Arc` itself does not implement [`Route`]: else an `Arc` could implement [`IntoRoute`] in two
/// ways.
pub(super) struct Shared<R>(pub(super) Arc<R>);

impl<R: Route> Route for Shared<R> {
    const PATH: &'static str = R::PATH;
    const OPTIONS: Options = R::OPTIONS;
    const AUTHENTICATES: bool = R::AUTHENTICATES;
    const INLINE: Inline = R::INLINE;
    const PATH_FIELDS: PathFields = R::PATH_FIELDS;
    const READS_COOKIES: bool = R::READS_COOKIES;
    type Data = R::Data;
    type Parameters = R::Parameters;

    fn parameters(path: &PathValues) -> Result<Self::Parameters, Rejection> {
        R::parameters(path)
    }

    fn connect(
        &self,
        handshake: &Handshake,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<Self::Data, BoxError>> + Send {
        self.0.connect(handshake, parameters)
    }

    fn auth(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        first: Message,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.0.auth(socket, parameters, first)
    }

    fn open(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.0.open(socket, parameters)
    }

    fn message(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        message: Message,
    ) -> impl Future<Output = Result<Broadcast, BoxError>> + Send {
        self.0.message(socket, parameters, message)
    }

    fn close(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        code: CloseCode,
        reason: &str,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.0.close(socket, parameters, code, reason)
    }

    fn drain(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.0.drain(socket, parameters)
    }

    fn error(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        error: &Error,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        self.0.error(socket, parameters, error)
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoRoute> IntoRoute for Arc<T> {
    const PATH: &'static str = T::PATH;

    fn into_route(self) -> impl Route {
        T::share_route(self)
    }

    fn share_route(self: Arc<Self>) -> impl Route {
        T::share_route(Arc::clone(&self))
    }
}
