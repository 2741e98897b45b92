//! Plain HTTP: responses that are not an upgrade, and the fallback to a tower service.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep};
use tower_service::Service;

use crate::error::BoxError;
use crate::limits::HTTP_PROGRESS;

pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The body of a request that a [`fallback`](crate::App::fallback) service answers.
///
/// Reading it fails if the client sends nothing of it for 30 seconds.
///
/// ```
/// use http_body_util::{BodyExt, Limited};
/// use harpia::{BoxError, HttpRequest};
///
/// async fn read(request: HttpRequest) -> Result<bytes::Bytes, BoxError> {
///     let body = Limited::new(request.into_body(), 64 * 1024);
///     Ok(body.collect().await?.to_bytes())
/// }
/// ```
#[derive(Debug)]
pub struct RequestBody {
    body: Incoming,
    /// Set while the next part of the body has not arrived.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            stalled: None,
        }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = polled {
            self.stalled = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(HTTP_PROGRESS)));
        ready!(stalled.as_mut().poll(context));
        let error = io::Error::new(
            io::ErrorKind::TimedOut,
            "the client stopped sending the body",
        );
        Poll::Ready(Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers requests for paths without a route.
pub(super) type Fallback = Arc<
    dyn Fn(Request<RequestBody>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
        + Send
        + Sync,
>;

/// Headers that may hold a session id or a token.
const SECRET: [HeaderName; 4] = [
    AUTHORIZATION,
    COOKIE,
    PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_PROTOCOL,
];

/// Hides the values of these headers in the `Debug` of a request, for the fallback service and for
/// the user's own data types.
pub(super) fn hide_secrets(headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        if SECRET.contains(name) {
            value.set_sensitive(true);
        }
    }
}

/// Removes the credentials that a browser adds to a request by itself: cookies, and those of Basic
/// authentication.
///
/// On a route where pages of any origin may connect, these credentials do not prove that the user
/// wants to connect: any page could act for its visitors (cross-site WebSocket hijacking). A bearer
/// token stays, because a page can only send a token that it knows.
pub(super) fn remove_ambient_credentials(headers: &mut HeaderMap) {
    headers.remove(COOKIE);
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION] {
        let is_basic = |value: &HeaderValue| {
            let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
        };
        if headers.get_all(&name).iter().any(is_basic) {
            headers.remove(name);
        }
    }
}

/// Builds a short plain-text response.
pub(super) fn text(status: StatusCode, message: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(format!("{message}\n")));
    let mut response = Response::new(Body::new(body.map_err(|never| match never {})));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// Erases the types of a service. If the service fails, the error is logged, and the client gets a
/// 500 without the text of the error.
pub(super) fn fallback<S, B>(service: S) -> Fallback
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    Arc::new(move |request| {
        let mut service = service.clone();
        Box::pin(async move {
            let ready = poll_fn(|context| service.poll_ready(context)).await;
            let answered: Result<_, BoxError> = match ready.map_err(Into::into) {
                Ok(()) => service.call(request).await.map_err(Into::into),
                Err(error) => Err(error),
            };
            match answered {
                Ok(response) => response.map(erase),
                Err(error) => {
                    tracing::error!("the fallback service failed: {error}");
                    text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
                }
            }
        })
    })
}

fn erase<B>(body: B) -> Body
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    Body::new(Erased(Box::pin(body)))
}

/// Converts any body into one of `Bytes`. Passes on the size hint, because hyper sends a body of
/// unknown size in chunks.
struct Erased<B>(Pin<Box<B>>);

impl<B> http_body::Body for Erased<B>
where
    B: http_body::Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.0.as_mut().poll_frame(context);
        polled.map(|frame| {
            let frame = frame?.map_err(Into::into);
            Some(frame.map(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
