//! The page, and where it gets its token: stands for a login.

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

/// Who asks for a token. A real login asks for a password too: see `example-profile`.
///
/// As JSON, which no other site's page can send here unasked.
#[derive(Deserialize)]
struct Login {
    name: String,
    /// For how long the token is to be valid.
    seconds: u64,
}

type Key = Arc<EncodingKey>;

/// Nothing is loaded from elsewhere, and nothing that someone says can become code.
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

/// Gives the token twice: to the page, for the first message and the query, and as a cookie that
/// the page cannot read.
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
