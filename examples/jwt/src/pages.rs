//! The page, and the endpoint that issues its token: a stand-in for a login.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde::Deserialize;

use crate::routes::Claims;

/// The request for a token. A real login also needs a password: see `example-profile`.
///
/// The body is JSON, because a browser lets no page of another site send that without a CORS
/// preflight, which this server does not answer.
#[derive(Deserialize)]
struct Login {
    name: String,
    /// The lifetime of the token, in seconds.
    seconds: u64,
}

type Key = Arc<EncodingKey>;

/// Allows no inline script and no file of another site, so that text from other users never runs
/// as code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

pub(crate) fn router(key: EncodingKey) -> Router {
    Router::new()
        .route("/", get(Html(include_str!("../page/index.html"))))
        .route(
            "/style.css",
            file("text/css", include_str!("../../style.css")),
        )
        .route(
            "/jwt.css",
            file("text/css", include_str!("../page/jwt.css")),
        )
        .route(
            "/jwt.js",
            file("text/javascript", include_str!("../page/jwt.js")),
        )
        .route("/token", post(token))
        .layer(DefaultBodyLimit::max(4096))
        .layer(middleware::map_response(with_policy))
        .with_state(Key::new(key))
}

/// Issues a token, twice in one response: in the body and in a cookie.
///
/// The page sends the one in the body as its first message or in the query. It cannot read the
/// cookie.
async fn token(State(key): State<Key>, Json(login): Json<Login>) -> Result<Response, StatusCode> {
    let has_length = (1..=24).contains(&login.name.chars().count());
    let is_name = has_length && !login.name.chars().any(char::is_control);
    if !is_name || !(1..=3600).contains(&login.seconds) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let claims = Claims {
        sub: login.name,
        exp: get_current_timestamp() + login.seconds,
    };
    let token =
        encode(&Header::default(), &claims, &key).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let attributes = "HttpOnly; Secure; SameSite=Lax; Path=/by-cookie";
    let cookie = format!("token={token}; {attributes}; Max-Age={}", login.seconds);
    Ok(([(SET_COOKIE, cookie)], Json(token)).into_response())
}

async fn with_policy(mut response: Response) -> Response {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn file(kind: &'static str, text: &'static str) -> MethodRouter<Key> {
    get(([(CONTENT_TYPE, kind)], text))
}
