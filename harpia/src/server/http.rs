//! Plain HTTP: the answers that are no upgrade, and the fallback to any tower service.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower_service::Service;

use crate::error::BoxError;

pub(super) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What answers where no route does.
pub(super) type Fallback = Arc<
    dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync,
>;

/// A short answer for people and logs.
pub(super) fn text(status: StatusCode, message: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(format!("{message}\n")));
    let mut response = Response::new(Body::new(body.map_err(|never| match never {})));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// Erases a service's types. Its error is a 500, whose text only the log gets.
pub(super) fn fallback<S, B>(service: S) -> Fallback
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
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
    let body =
        body.map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())));
    Body::new(body.map_err(Into::into))
}
