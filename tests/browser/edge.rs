//! The ways to put `example-chat` on the internet, and what Chromium reports behind nginx.

use std::convert::Infallible;

use harpia::HttpRequest;
use harpia::prelude::*;
use harpia_tests::{CertificateFiles, Nginx, Program, TestServer};
use http::Response;
use tower::service_fn;

use crate::WIDE;
use crate::closing::{Closer, late_answer};
use crate::driver::Driver;

/// Lets two people talk in the chat at an address.
async fn two_people_talk(driver: &Driver, url: &str) {
    let (ada, grace) = (driver.open(WIDE).await, driver.open(WIDE).await);
    for (page, name) in [(&ada, "Ada"), (&grace, "Grace")] {
        page.goto(url).await;
        page.enter(name, "garden").await;
    }
    ada.shows("#messages", "Grace joined").await;
    ada.say("Can you read this?").await;
    grace.shows("#messages", "Can you read this?").await;
    grace.say("Every word").await;
    ada.shows("#messages", "Every word").await;
    grace.close().await;
    ada.shows("#messages", "Grace left").await;
    ada.close().await;
}

/// nginx does not listen on 443 here, so it has to pass the port on, as the guide says.
fn with_port(configuration: String) -> String {
    configuration.replace("Host $host", "Host $http_host")
}

#[tokio::test]
#[ignore = "needs Chromium and nginx: tests/run"]
async fn the_chat_runs_behind_nginx_with_tls() {
    let driver = Driver::start();
    let files = CertificateFiles::new();
    files.renew();
    let chat = Program::start("example-chat");
    let backend = chat.address().to_string();
    let nginx = Nginx::start_as_in_the_guide(&backend, &files, with_port);
    two_people_talk(&driver, &format!("https://{}/", nginx.address())).await;
    chat.stop("TERM");
}

#[tokio::test]
#[ignore = "needs Chromium and nginx: tests/run"]
async fn the_chat_runs_on_a_unix_socket() {
    let driver = Driver::start();
    let files = CertificateFiles::new();
    files.renew();
    let socket = files.certificate().with_file_name("chat.sock");
    let chat = Program::start_on_unix("example-chat", &socket);
    let backend = format!("unix:{}", socket.display());
    let nginx = Nginx::start_as_in_the_guide(&backend, &files, with_port);
    two_people_talk(&driver, &format!("https://{}/", nginx.address())).await;
    chat.stop("TERM");
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn the_chat_runs_with_its_own_tls() {
    let driver = Driver::start();
    let files = CertificateFiles::new();
    files.renew();
    let chat = Program::start_with_tls("example-chat", &files);
    two_people_talk(&driver, &format!("https://{}/", chat.address())).await;
    chat.stop("TERM");
}

#[tokio::test]
#[ignore = "needs Chromium and nginx: tests/run"]
async fn a_close_by_a_handler_is_clean_and_has_its_code_behind_nginx() {
    let driver = Driver::start();
    let files = CertificateFiles::new();
    files.renew();
    let page = service_fn(async |_: HttpRequest| Ok::<_, Infallible>(Response::new(String::new())));
    let server = TestServer::start(App::new().ws(Closer).fallback(page)).await;
    let backend = server.address().to_string();
    let nginx = Nginx::start_as_in_the_guide(&backend, &files, with_port);
    let page = driver.open(WIDE).await;
    page.goto(&format!("https://{}/", nginx.address())).await;
    let closed = late_answer(&page, &format!("wss://{}/closer", nginx.address())).await;
    assert_eq!(closed, "4001 As You Wish true");
    page.close().await;
}
