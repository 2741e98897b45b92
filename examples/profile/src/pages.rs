//! The pages beside the socket: log in, log out, read and change the profile.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use harpia::session::{SessionError, SessionId};
use harpia::{Cookies, Hub, Session};
use serde::Deserialize;

use crate::updates::{Profile, topic};
use crate::users::Users;

/// What the pages work with.
pub(crate) struct Pages {
    pub(crate) sessions: Session<Profile>,
    pub(crate) users: Users,
    pub(crate) hub: Hub,
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Rename {
    name: String,
}

/// Nothing is loaded from elsewhere, and nothing that someone says can become code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

impl Pages {
    pub(crate) fn into_router(self) -> Router {
        Router::new()
            .route("/", get(Html(include_str!("../page/index.html"))))
            .route(
                "/style.css",
                file("text/css", include_str!("../../style.css")),
            )
            .route(
                "/profile.js",
                file("text/javascript", include_str!("../page/profile.js")),
            )
            .route("/login", post(log_in))
            .route("/logout", post(log_out))
            .route("/profile", get(profile).post(rename))
            .layer(DefaultBodyLimit::max(4096))
            .layer(middleware::from_fn(guard))
            .with_state(Arc::new(self))
    }
}

async fn log_in(
    State(pages): State<Arc<Pages>>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Failure> {
    let Some(profile) = pages.users.log_in(&login.email, login.password).await else {
        return Ok(Redirect::to("/?wrong").into_response());
    };
    // Always a new id: one that somebody planted in this browser must not become the visitor's.
    let id = pages.sessions.create(profile).await?;
    if let Ok(old) = session(&pages, &headers) {
        end(&pages, &old).await?;
    }
    let cookie = [(SET_COOKIE, pages.sessions.cookie(&id))];
    Ok((cookie, Redirect::to("/")).into_response())
}

async fn log_out(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Ok(id) = session(&pages, &headers) {
        end(&pages, &id).await?;
    }
    let cookie = [(SET_COOKIE, pages.sessions.removal_cookie())];
    Ok((cookie, Redirect::to("/")).into_response())
}

async fn profile(
    State(pages): State<Arc<Pages>>,
    headers: HeaderMap,
) -> Result<Json<Profile>, Failure> {
    let id = session(&pages, &headers)?;
    Ok(Json(pages.sessions.get(&id).await?))
}

/// Changes the session, and tells all pages that are open in it. A real one changes the user too, who
/// may have sessions in other browsers.
async fn rename(
    State(pages): State<Arc<Pages>>,
    headers: HeaderMap,
    Form(Rename { name }): Form<Rename>,
) -> Result<Response, Failure> {
    let name = name.trim();
    let has_length = (1..=40).contains(&name.chars().count());
    if !has_length || name.chars().any(char::is_control) {
        return Ok((StatusCode::BAD_REQUEST, "a name has 1 to 40 characters").into_response());
    }
    let id = session(&pages, &headers)?;
    let update = |profile: &mut Profile| profile.name = name.to_owned();
    pages.sessions.update(&id, update).await?;
    pages.hub.publish(topic(&id), format!("You are {name} now"));
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn session(pages: &Pages, headers: &HeaderMap) -> Result<SessionId, SessionError> {
    pages
        .sessions
        .id_from_cookies(&Cookies::from_headers(headers))
}

/// Ends a session, then the connections that it opened.
async fn end(pages: &Pages, id: &SessionId) -> Result<(), SessionError> {
    pages.sessions.delete(id).await?;
    pages.hub.disconnect_topic(topic(id), 1008, "Logged Out");
    Ok(())
}

/// Refuses forms that another site's page sends, and sets what browsers are told about all pages.
async fn guard(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !is_own(request.headers()) {
        return (StatusCode::FORBIDDEN, "this form is of another site").into_response();
    }
    let mut response = next.run(request).await;
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

/// Browsers name the page that sent a form; programs, which bring no foreign cookies, do not.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(ORIGIN) else {
        return true;
    };
    let (_, authority) = origin.split_once("://").unwrap_or_default();
    text(HOST) == Some(authority)
}

fn file(kind: &'static str, text: &'static str) -> axum::routing::MethodRouter<Arc<Pages>> {
    get(([(CONTENT_TYPE, kind)], text))
}

/// What a page fails with.
struct Failure(SessionError);

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.0.status();
        if status.is_server_error() {
            tracing::error!("{}", self.0);
        }
        (status, self.0.to_string()).into_response()
    }
}
