//! Pages of other origins that open a WebSocket in Chromium.

use std::convert::Infallible;

use harpia::HttpRequest;
use harpia::prelude::*;
use harpia_tests::{Program, TestServer};
use http::Response;
use http::header::SET_COOKIE;
use tower::service_fn;

use crate::WIDE;
use crate::driver::Driver;

/// Starts a server of another origin.
///
/// Its page has no content security policy. The pages of the examples have one, which allows
/// connections only to their own server.
async fn elsewhere() -> TestServer {
    let page = service_fn(async |_: HttpRequest| Ok::<_, Infallible>(Response::new(String::new())));
    TestServer::start(App::new().fallback(page)).await
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_page_of_another_origin_is_rejected_and_the_servers_own_page_connects() {
    let driver = Driver::start();
    let chat = Program::start("example-chat");
    let port = chat.port();
    let page = driver.open(WIDE).await;
    let url = format!("ws://localhost:{port}/rooms/lobby?name=Eve");
    let elsewhere = elsewhere().await;
    // Another site, the same machine by another name, and the same host on another port.
    for other in ["evil.test", "127.0.0.1", "localhost"] {
        let other = format!("http://{other}:{}/", elsewhere.address().port());
        page.goto(&other).await;
        assert_eq!(page.socket(&url).await, "1006 ", "{other}");
    }
    page.goto(&format!("http://localhost:{port}/")).await;
    let enter = "return await new Promise((done) => { \
                     const socket = new WebSocket(given); \
                     socket.onopen = () => done('in'); \
                     socket.onclose = () => done('refused'); \
                 });";
    assert_eq!(page.run(enter, url.into()).await, "in");
    page.close().await;
}

/// Sends pages the name in their session. The app lists pages that it should not.
struct Careless(Session<String>);

#[ws_route("/careless")]
impl Careless {
    async fn open(&self, ws: &mut Socket) {
        let session = self.0.from_ws(ws).await.ok();
        ws.send(session.unwrap_or_else(|| "nobody".into()));
    }
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn same_site_withholds_the_session_from_other_sites_but_not_from_other_ports() {
    let driver = Driver::start();
    let sessions = Session::memory();
    let id = sessions.create("Ada".to_owned()).await.expect("a session");
    let cookie = sessions.cookie(&id);
    let log_in = service_fn(move |_: HttpRequest| {
        let answer = Response::builder().header(SET_COOKIE, cookie.clone());
        async { Ok::<_, Infallible>(answer.body(String::new()).expect("an answer")) }
    });
    let elsewhere = elsewhere().await;
    let elsewhere_port = elsewhere.address().port();
    let listed = [
        format!("http://evil.test:{elsewhere_port}"),
        format!("http://localhost:{elsewhere_port}"),
    ];
    let app = App::new().origins(listed).ws(Careless(sessions));
    let server = TestServer::start(app.fallback(log_in)).await;
    let port = server.address().port();
    let url = format!("ws://localhost:{port}/careless");

    let page = driver.open(WIDE).await;
    page.goto(&format!("http://localhost:{port}/")).await;
    page.goto(&format!("http://evil.test:{elsewhere_port}/"))
        .await;
    assert_eq!(page.socket(&url).await, "nobody");
    // Another port is the same site to the browser. Only the server's list could prevent this.
    page.goto(&format!("http://localhost:{elsewhere_port}/"))
        .await;
    assert_eq!(page.socket(&url).await, "Ada");
    page.close().await;
}
