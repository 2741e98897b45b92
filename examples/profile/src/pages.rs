//! The HTTP side: log in, log out, read and change the profile.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use harpia::extract::{Rejection, is_same_origin};
use harpia::session::{SessionError, SessionId};
use harpia::{Cookies, Hub, Session};
use serde::Deserialize;

use crate::updates::{Profile, topic};
use crate::users::Users;

/// The state that all pages share.
pub(crate) struct Pages {
    pub(crate) sessions: Session<Profile>,
    pub(crate) users: Users,
    pub(crate) hub: Hub,
}

/// The fields of the login form.
#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

/// Allows no inline script and no file of another site, so that text from other users never runs
/// as code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

impl Pages {
    pub(crate) fn into_router(self) -> Router {
        let pages = Arc::new(self);
        let (users, hub) = (Arc::clone(&pages), pages.hub.clone());
        let login = pages
            .sessions
            .login(move |form| log_in(Arc::clone(&users), form))
            .replaced(move |former| close_pages(&hub, former));
        let (style, script) = (
            include_str!("../../style.css"),
            include_str!("../page/profile.js"),
        );
        Router::new()
            .route("/", get(Html(include_str!("../page/index.html"))))
            .route("/style.css", file("text/css", style))
            .route("/profile.js", file("text/javascript", script))
            .route_service("/login", login)
            .route("/logout", post(log_out))
            .route("/profile", get(profile).post(rename))
            .layer(DefaultBodyLimit::max(4096))
            .layer(from_fn(reject_cross_origin))
            .layer(map_response(with_policy))
            .with_state(pages)
    }
}

async fn log_in(pages: Arc<Pages>, form: Login) -> Result<Profile, Rejection> {
    let user = pages.users.log_in(&form.email, form.password).await;
    user.ok_or_else(|| Rejection::new(StatusCode::FORBIDDEN, "Email or password is wrong."))
}

async fn log_out(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Ok(id) = session(&pages, &headers) {
        pages.sessions.delete(&id).await?;
        close_pages(&pages.hub, &id);
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

/// Changes the name in the session, and tells all open pages of the session.
///
/// A real application would also change the user, who may have sessions in other browsers.
async fn rename(
    State(pages): State<Arc<Pages>>,
    headers: HeaderMap,
    Json(name): Json<String>,
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
    let cookies = Cookies::from_headers(headers);
    pages.sessions.id_from_cookies(&cookies)
}

/// Closes the connections of all pages of a session that has ended.
fn close_pages(hub: &Hub, id: &SessionId) {
    hub.disconnect_topic(topic(id), 1008, "Logged Out");
}

/// Rejects forms of other sites' pages, which the browser would send with the visitor's cookies.
async fn reject_cross_origin(request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !is_same_origin(&request) {
        return (
            StatusCode::FORBIDDEN,
            "requests from other sites are not allowed",
        )
            .into_response();
    }
    next.run(request).await
}

fn file(kind: &'static str, text: &'static str) -> MethodRouter<Arc<Pages>> {
    get(([(CONTENT_TYPE, kind)], text))
}

async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error of a page: the response has the status and the message of the session error.
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
