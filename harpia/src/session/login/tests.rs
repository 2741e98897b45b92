//! Tests of logins: the forms that are accepted, and the responses.

use std::sync::Mutex;

use http::HeaderName;
use http::header::{HOST, ORIGIN};
use http_body_util::Full;
use serde::Deserialize;

use super::super::MemoryStore;
use super::*;

#[derive(Deserialize)]
struct Form {
    name: String,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn request(kind: &str, body: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    let request = Request::post("/login").header(HOST, "chat.test");
    request.header(CONTENT_TYPE, kind).body(body).unwrap()
}

fn with(name: HeaderName, value: &str) -> Request<Full<Bytes>> {
    let mut request = request(FORM, "name=Ada");
    let value = HeaderValue::from_str(value).unwrap();
    request.headers_mut().insert(name, value);
    request
}

async fn ada(form: Form) -> Result<String, Rejection> {
    match &*form.name {
        "Ada" => Ok(form.name),
        _ => Err(Rejection::new(StatusCode::FORBIDDEN, "only for Ada")),
    }
}

async fn answer(sessions: &Session<String>, request: Request<Full<Bytes>>) -> Response<String> {
    sessions.login(ada).call(request).await.unwrap()
}

fn id(response: &Response<String>) -> SessionId {
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    SessionId::parse(value).unwrap()
}

#[tokio::test]
async fn a_form_and_json_get_a_session_each() {
    let sessions = Session::<String>::memory();
    for (kind, body) in [
        (FORM, "name=Ada"),
        ("application/json; charset=utf-8", r#"{"name": "Ada"}"#),
    ] {
        let response = answer(&sessions, request(kind, body)).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(sessions.get(&id(&response)).await.unwrap(), "Ada");
    }
}

#[tokio::test]
async fn a_rejection_of_the_function_is_the_response_and_sets_no_cookie() {
    let sessions = Session::<String>::memory();
    let response = answer(&sessions, request(FORM, "name=Eve")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.body(), "only for Ada\n");
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn a_form_of_another_sites_page_is_rejected_and_one_of_an_own_page_is_not() {
    let sessions = Session::<String>::memory();
    for origin in ["https://evil.test", "null", "https://chat.test:8443"] {
        let response = answer(&sessions, with(ORIGIN, origin)).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{origin}");
        assert!(!response.headers().contains_key(SET_COOKIE));
    }
    let own = answer(&sessions, with(ORIGIN, "https://chat.test")).await;
    assert_eq!(own.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_request_with_its_host_in_the_uri_or_without_one_is_checked_by_its_origin() {
    let sessions = Session::<String>::memory();
    let request = |uri: &str, origin: Option<&str>| {
        let mut request = request(FORM, "name=Ada");
        request.headers_mut().remove(HOST);
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(origin) = origin {
            let origin = HeaderValue::from_str(origin).unwrap();
            request.headers_mut().insert(ORIGIN, origin);
        }
        request
    };
    for (uri, origin, status) in [
        ("/login", None, 204),
        ("/login", Some("https://chat.test"), 403),
        ("https://chat.test/login", Some("https://chat.test"), 204),
        ("https://chat.test/login", Some("https://evil.test"), 403),
    ] {
        let response = answer(&sessions, request(uri, origin)).await;
        assert_eq!(response.status(), status, "{uri} {origin:?}");
    }
}

/// A body that never arrives.
struct Silent;

impl Body for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_arrives_is_a_timeout() {
    let sessions = Session::<String>::memory();
    let request = request(FORM, "").map(|_| Silent);
    let response = sessions.login(ada).call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn an_invalid_body_is_rejected_and_not_quoted() {
    let sessions = Session::<String>::memory();
    let long = format!("name={}", "a".repeat(MAX_LOGIN));
    for (kind, body, status) in [
        ("text/plain", "name=Ada", 415),
        ("", "name=Ada", 415),
        (FORM, "nome=hunter2", 422),
        (FORM, "name=1&name=hunter2", 422),
        ("application/json", r#""hunter2""#, 422),
        ("application/json", "hunter2", 422),
        (FORM, &long, 413),
    ] {
        let response = answer(&sessions, request(kind, body)).await;
        assert_eq!(response.status(), status, "{kind} {body}");
        assert!(!response.body().contains("hunter2"), "{}", response.body());
    }
    let response = answer(&sessions, request(FORM, "nome=Ada")).await;
    assert_eq!(response.body(), "missing field `name`\n");
    let mut get = request(FORM, "name=Ada");
    *get.method_mut() = Method::GET;
    let response = answer(&sessions, get).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[ALLOW], "POST");
}

#[tokio::test]
async fn the_former_session_is_deleted_and_its_id_reported() {
    let sessions = Session::<String>::memory();
    let former = sessions.create("Eve".to_owned()).await.unwrap();
    let reported = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&reported);
    let mut login = sessions
        .login(ada)
        .replaced(move |id| report.lock().unwrap().push(id.clone()));
    let cookie = format!("session_id={}", former.as_str());
    let response = login.call(with(http::header::COOKIE, &cookie)).await;
    assert_ne!(id(&response.unwrap()), former);
    assert!(matches!(
        sessions.get(&former).await,
        Err(SessionError::NotFound)
    ));
    assert_eq!(*reported.lock().unwrap(), [former]);
}

#[tokio::test]
async fn a_full_store_is_503_and_the_visitor_keeps_the_former_session() {
    let sessions = Session::<String>::new(MemoryStore::new().max_sessions(1));
    let former = sessions.create("Ada".to_owned()).await.unwrap();
    let cookie = format!("session_id={}", former.as_str());
    let response = answer(&sessions, with(http::header::COOKIE, &cookie)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(sessions.get(&former).await.unwrap(), "Ada");
}

#[tokio::test]
async fn a_redirect_is_a_303_to_a_path() {
    let sessions = Session::<String>::memory();
    let mut login = sessions.login(ada).redirect("/home");
    let response = login.call(request(FORM, "name=Ada")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[LOCATION], "/home");
}

#[test]
#[should_panic(expected = "not a path to redirect to")]
fn a_redirect_to_another_site_panics() {
    let _ = Session::<String>::memory()
        .login(ada)
        .redirect("https://evil.test");
}
