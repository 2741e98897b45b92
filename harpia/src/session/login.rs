//! The service that answers a login: it reads a form, and sets the cookie of a new session.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tower_service::Service;

use crate::error::BoxError;
use crate::extract::{Cookies, Rejection, is_same_origin};
use crate::json::{JsonError, missing_field};
use crate::limits::{LOGIN_TIMEOUT, MAX_LOGIN};

use super::{Session, SessionError, SessionId, Store};

/// A tower service that answers the `POST` of a login. [`Session::login`] makes it.
///
/// Use it for one path of axum (`route_service`) or of any other router.
///
/// - The body is a form or JSON. It has at most 8 KiB, and must arrive within 10 seconds. It is
///   deserialized as an `F`. For a single value, `F` can be a `String`, sent as the JSON `"Ada"`.
/// - Another content type gets a 415. A body that does not deserialize as `F` gets a 422. The
///   response never echoes the input.
/// - To check a value, return a [`Rejection`] from the function, as in
///   `name.parse::<Name>().map_err(Rejection::bad_request)`.
/// - A form of another site's page gets a 403: otherwise that page could log its visitor in to the
///   attacker's account. [`is_same_origin`] has the rule.
/// - The visitor always gets a new session, and the session in the visitor's cookie is deleted. So
///   an id that an attacker planted in the browser is useless.
/// - The response is 204, for `fetch`, or a [redirect](Self::redirect), for a form without a
///   script.
///
/// # Cancel safety
///
/// If the client disconnects before the response, a session may have been made whose cookie it
/// never gets. It expires.
///
/// # Examples
///
/// See [`Session::login`].
pub struct Login<T, S, F, L> {
    sessions: Session<T, S>,
    log_in: Arc<L>,
    redirect: Option<HeaderValue>,
    replaced: Option<Replaced>,
    form: PhantomData<fn(F)>,
}

type Replaced = Arc<dyn Fn(&SessionId) + Send + Sync>;

impl<T, S: Store> Session<T, S> {
    /// Makes a service that answers the `POST` of a login.
    ///
    /// It deserializes the body, a form or JSON, as an `F` and passes it to the function. The data
    /// that the function returns becomes a new session, whose cookie the response sets. A
    /// [`Rejection`] becomes the response.
    ///
    /// A function that needs more than the form, such as a database, is a closure that clones it
    /// for each call: `move |form| log_in(db.clone(), form)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use http::StatusCode;
    /// use serde::Deserialize;
    ///
    /// #[derive(Deserialize)]
    /// struct Form { name: String, password: String }
    ///
    /// # let _: axum::Router = {
    /// let sessions = Session::<String>::memory();
    /// let login = sessions.login(async |form: Form| {
    ///     if form.password != "correct horse" {           // use a slow password hash instead
    ///         return Err(Rejection::new(StatusCode::FORBIDDEN, "wrong password"));
    ///     }
    ///     Ok(form.name)
    /// });
    /// axum::Router::new().route_service("/login", login.redirect("/"))
    /// # };
    /// ```
    pub fn login<F, L, R>(&self, log_in: L) -> Login<T, S, F, L>
    where
        F: DeserializeOwned,
        L: Fn(F) -> R,
        R: Future<Output = Result<T, Rejection>>,
    {
        Login {
            sessions: self.clone(),
            log_in: Arc::new(log_in),
            redirect: None,
            replaced: None,
            form: PhantomData,
        }
    }
}

impl<T, S, F, L> Login<T, S, F, L> {
    /// Answers with a redirect (303) to this path, for a form without a script.
    ///
    /// # Panics
    ///
    /// If it does not start with `/`, or has characters other than visible ASCII.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// let sessions = Session::<String>::memory();
    /// let login = sessions.login(async |name: String| Ok(name)).redirect("/chat");
    /// ```
    pub fn redirect(mut self, to: &'static str) -> Self {
        let is_path = to.starts_with('/') && to.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_path, "`{to}` is not a path to redirect to");
        self.redirect = Some(HeaderValue::from_static(to));
        self
    }

    /// Sets a function that is called with the id of the visitor's former session.
    ///
    /// It is called after that session was deleted.
    ///
    /// Use it to close the connections of the former session with
    /// [`Hub::disconnect_topic`](crate::Hub::disconnect_topic). The session may have expired
    /// before, or may never have existed.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn login(sessions: &Session<String>, hub: Hub) -> axum::Router {
    ///     let login = sessions.login(async |name: String| Ok(name));
    ///     // Each connection subscribes to the topic of its session in `open`.
    ///     let login = login.replaced(move |id| {
    ///         hub.disconnect_topic(format!("session {}", id.as_str()), 1008, "Logged Out");
    ///     });
    ///     axum::Router::new().route_service("/login", login)
    /// }
    /// ```
    pub fn replaced(mut self, on_replaced: impl Fn(&SessionId) + Send + Sync + 'static) -> Self {
        self.replaced = Some(Arc::new(on_replaced));
        self
    }
}

impl<T, S, F, L, R, B> Service<Request<B>> for Login<T, S, F, L>
where
    T: Send + 'static,
    S: Store,
    F: DeserializeOwned + Send + 'static,
    L: Fn(F) -> R + Send + Sync + 'static,
    R: Future<Output = Result<T, Rejection>> + Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let login = self.clone();
        Box::pin(async move {
            let answered = login.answer(request).await;
            Ok(answered.unwrap_or_else(|rejection| refusal(&rejection)))
        })
    }
}

impl<T, S: Store, F, L> Login<T, S, F, L> {
    async fn answer<R, B>(&self, request: Request<B>) -> Result<Response<String>, Rejection>
    where
        F: DeserializeOwned,
        L: Fn(F) -> R,
        R: Future<Output = Result<T, Rejection>>,
        B: Body<Error: Into<BoxError>>,
    {
        let is_own = is_same_origin(&request);
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            let why = "a login is a POST";
            return Err(Rejection::new(StatusCode::METHOD_NOT_ALLOWED, why));
        }
        if !is_own {
            let why = "this form is of another site's page";
            return Err(Rejection::new(StatusCode::FORBIDDEN, why));
        }
        let form = read(&head.headers, body).await?;
        let data = (self.log_in)(form).await?;
        let id = self.sessions.create(data).await.map_err(unavailable)?;
        self.end_former(&head.headers).await?;
        Ok(self.welcome(&id))
    }

    /// Deletes the former session.
    ///
    /// It runs after the new session was made: if the store has no room for the new one, the
    /// visitor keeps the former.
    async fn end_former(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let cookies = Cookies::from_headers(headers);
        if let Ok(former) = self.sessions.id_from_cookies(&cookies) {
            self.sessions.delete(&former).await.map_err(unavailable)?;
            if let Some(on_replaced) = &self.replaced {
                on_replaced(&former);
            }
        }
        Ok(())
    }

    fn welcome(&self, id: &SessionId) -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(to) = &self.redirect {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(LOCATION, to.clone());
        }
        let headers = response.headers_mut();
        headers.insert(SET_COOKIE, self.sessions.cookie(id));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Reads a form or JSON. A rejection never quotes the input.
async fn read<F, B>(headers: &HeaderMap, body: B) -> Result<F, Rejection>
where
    F: DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let misfit = |why: String| Rejection::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let body = collect(body).await?;
        serde_html_form::from_bytes(&body).map_err(|error: serde_html_form::de::Error| {
            misfit(match missing_field(&error.to_string()) {
                Some(name) => format!("missing field `{name}`"),
                None => "invalid form".to_owned(),
            })
        })
    } else if kind.eq_ignore_ascii_case("application/json") {
        let body = collect(body).await?;
        serde_json::from_slice(&body)
            .map_err(|error| misfit(JsonError::located::<F>(&error, &body).to_string()))
    } else {
        let why = "a login is a form or JSON";
        Err(Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
    }
}

async fn collect<B: Body<Error: Into<BoxError>>>(body: B) -> Result<Bytes, Rejection> {
    let collected = timeout(LOGIN_TIMEOUT, Limited::new(body, MAX_LOGIN).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let why = "a login has at most 8 KiB";
            Err(Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, why))
        }
        Ok(Err(_)) => Err(Rejection::bad_request("the body breaks off")),
        Err(_) => {
            let why = "the body does not come";
            Err(Rejection::new(StatusCode::REQUEST_TIMEOUT, why))
        }
    }
}

fn unavailable(error: SessionError) -> Rejection {
    tracing::error!("a login failed: {error}");
    Rejection::new(error.status(), "try again later")
}

fn refusal(rejection: &Rejection) -> Response<String> {
    let mut response = Response::new(format!("{}\n", rejection.message()));
    *response.status_mut() = rejection.status();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if rejection.status() == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

impl<T, S, F, L> Clone for Login<T, S, F, L> {
    fn clone(&self) -> Self {
        Self {
            sessions: self.sessions.clone(),
            log_in: Arc::clone(&self.log_in),
            redirect: self.redirect.clone(),
            replaced: self.replaced.clone(),
            form: PhantomData,
        }
    }
}

impl<T, S, F, L> fmt::Debug for Login<T, S, F, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("sessions", &self.sessions)
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
