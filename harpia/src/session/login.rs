//! The page's side of a login: a form comes in, a session's cookie goes out.

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

use super::{Session, SessionData, SessionError, SessionId, Store};

/// Answers the `POST` by which a visitor gets a session: what [`Session::login`] makes.
///
/// A tower service, for one path of axum (`route_service`) or of any other router.
///
/// - The body is a form, or JSON, of at most 8 KiB that come within ten seconds; `F` is read from it: any type that serde reads, for
///   one value a `String`, sent as the JSON `"Ada"`. Another type is answered with
///   415, what is no `F` with 422, and the answer quotes nothing of it. What a value has to be is for
///   the function to say: `name.parse::<Name>().map_err(Rejection::bad_request)` tells the page why.
/// - A form of another site's page is refused with 403: else it could log its visitor in as someone
///   else. [`is_same_origin`] says which those are.
/// - The visitor gets a new session in any case, and the one that the cookie named is ended: an id
///   that was planted in the browser is of no use.
/// - The answer is 204, as for `fetch`, or a [redirect](Self::redirect), as for a form without a script.
///
/// # Cancel safety
///
/// Where the client goes away before the answer, there may be a session that nobody knows, until it
/// expires.
pub struct Login<T: SessionData, S, F, L> {
    sessions: Session<T, S>,
    log_in: Arc<L>,
    redirect: Option<HeaderValue>,
    replaced: Option<Replaced>,
    form: PhantomData<fn(F)>,
}

type Replaced = Arc<dyn Fn(&SessionId) + Send + Sync>;

impl<T: SessionData, S: Store> Session<T, S> {
    /// Makes the page's side of a login, a service for one path: it reads a form or JSON as an `F`,
    /// and sets the cookie of a new session with what the function makes of it.
    ///
    /// A function that needs something, such as a database, is a closure that clones it for each
    /// call: `move |form| log_in(db.clone(), form)`.
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
    ///     if form.password != "correct horse" {               // yours: a slow hash of the password
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

impl<T: SessionData, S, F, L> Login<T, S, F, L> {
    /// Answers with 303 to this path, as a form without a script needs it.
    ///
    /// # Panics
    ///
    /// If it is no path of visible ASCII.
    pub fn redirect(mut self, to: &'static str) -> Self {
        let is_path = to.starts_with('/') && to.bytes().all(|byte| byte.is_ascii_graphic());
        assert!(is_path, "`{to}` is no path to redirect to");
        self.redirect = Some(HeaderValue::from_static(to));
        self
    }

    /// Hears the id that the visitor's cookie named before, once no session has it any more: to close
    /// what that one has opened, by [`Hub::disconnect_topic`](crate::Hub::disconnect_topic). It may
    /// have ended long ago, or never have been.
    pub fn replaced(mut self, hear: impl Fn(&SessionId) + Send + Sync + 'static) -> Self {
        self.replaced = Some(Arc::new(hear));
        self
    }
}

impl<T, S, F, L, R, B> Service<Request<B>> for Login<T, S, F, L>
where
    T: SessionData + 'static,
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

impl<T: SessionData, S: Store, F, L> Login<T, S, F, L> {
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

    /// After the new one is there, so that a store without room leaves the visitor the former.
    async fn end_former(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let cookies = Cookies::from_headers(headers);
        if let Ok(former) = self.sessions.id_from_cookies(&cookies) {
            self.sessions.delete(&former).await.map_err(unavailable)?;
            if let Some(hear) = &self.replaced {
                hear(&former);
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

/// Reads a form or JSON. What is said of it goes to the sender, and quotes nothing all the same.
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

impl<T: SessionData, S, F, L> Clone for Login<T, S, F, L> {
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

impl<T: SessionData, S, F, L> fmt::Debug for Login<T, S, F, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("sessions", &self.sessions)
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
