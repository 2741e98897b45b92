//! The page: its files, which are built in.

use std::convert::Infallible;

use bytes::Bytes;
use harpia::HttpRequest;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

const INDEX: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../../style.css");
const CHAT_STYLE: &str = include_str!("../page/chat.css");
const SCRIPT: &str = include_str!("../page/chat.js");
const ICON: &str = include_str!("../page/icon.svg");

/// Nothing is loaded from elsewhere, and nothing that someone says can become code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Answers what is no WebSocket.
pub(crate) async fn serve(request: HttpRequest) -> Result<Response<Full<Bytes>>, Infallible> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
        set(&mut response, ALLOW, "GET, HEAD");
        return Ok(response);
    }
    Ok(match request.uri().path() {
        "/" => file("text/html; charset=utf-8", INDEX),
        "/style.css" => file("text/css; charset=utf-8", STYLE),
        "/chat.css" => file("text/css; charset=utf-8", CHAT_STYLE),
        "/chat.js" => file("text/javascript; charset=utf-8", SCRIPT),
        "/icon.svg" => file("image/svg+xml", ICON),
        _ => plain(StatusCode::NOT_FOUND, "not found\n"),
    })
}

fn file(kind: &'static str, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    set(&mut response, CONTENT_TYPE, kind);
    set(&mut response, CONTENT_SECURITY_POLICY, POLICY);
    // A newer server has newer files.
    set(&mut response, CACHE_CONTROL, "no-cache");
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = file("text/plain; charset=utf-8", text);
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Full<Bytes>>, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
