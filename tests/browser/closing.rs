//! What Chromium reports of a connection that closes.

use std::convert::Infallible;

use harpia::HttpRequest;
use harpia::prelude::*;
use harpia_tests::TestServer;
use http::Response;
use serde_json::Value;
use tower::service_fn;

use crate::WIDE;
use crate::driver::{Driver, Page};

pub(crate) struct Closer;

#[ws_route("/closer", broadcast = off)]
impl Closer {
    fn message(&self, ws: &mut Socket) {
        ws.send("before");
        ws.close(4001, "As You Wish");
    }
}

#[tokio::test]
#[ignore = "needs Chromium: tests/run"]
async fn a_close_by_a_handler_is_clean_and_has_its_code() {
    let driver = Driver::start();
    let page = service_fn(async |_: HttpRequest| Ok::<_, Infallible>(Response::new(String::new())));
    let server = TestServer::start(App::new().ws(Closer).fallback(page)).await;
    let address = server.address();
    let page = driver.open(WIDE).await;
    page.goto(&format!("http://{address}/")).await;
    let closed = late_answer(&page, &format!("ws://{address}/closer")).await;
    assert_eq!(closed, "4001 As You Wish true");
    page.close().await;
}

/// Lets a page connect to [`Closer`], and returns the code, the reason and whether the close was
/// clean.
pub(crate) async fn late_answer(page: &Page, url: &str) -> Value {
    // The page is busy when the close frame arrives, so its answer is late.
    let script = "return await new Promise((done) => { \
                      const socket = new WebSocket(given); \
                      socket.onopen = () => socket.send('close'); \
                      socket.onmessage = () => { \
                          const end = Date.now() + 300; \
                          while (Date.now() < end) {} \
                      }; \
                      socket.onclose = ({ code, reason, wasClean }) => \
                          done(`${code} ${reason} ${wasClean}`); \
                  });";
    page.run(script, url.into()).await
}
