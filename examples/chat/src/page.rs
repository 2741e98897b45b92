//! The page of the chat. Its files are compiled into the program.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::middleware::map_response;
use axum::response::{Html, Response};
use axum::routing::{MethodRouter, get};

/// Allows no inline script and no file of another site, so that text from other users never runs
/// as code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Serves the page and its files.
pub(crate) fn router() -> Router {
    let script = include_str!("../page/chat.js");
    Router::new()
        .route("/", get(Html(include_str!("../page/index.html"))))
        .route(
            "/style.css",
            file("text/css", include_str!("../../style.css")),
        )
        .route(
            "/chat.css",
            file("text/css", include_str!("../page/chat.css")),
        )
        .route("/chat.js", file("text/javascript", script))
        .route(
            "/icon.svg",
            file("image/svg+xml", include_str!("../page/icon.svg")),
        )
        .layer(map_response(with_policy))
}

fn file(kind: &'static str, text: &'static str) -> MethodRouter {
    get(([(CONTENT_TYPE, kind)], text))
}

async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // The files change with the program, so the browser has to revalidate them.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
