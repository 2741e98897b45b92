//! Handlers with attributes: `cfg`, docs, lints.

#![deny(warnings)]

use harpia::prelude::*;

struct Chat;

/// A chat.
#[ws_route("/chat")]
#[allow(clippy::unused_self)]
impl Chat {
    /// Greets.
    #[cfg(unix)]
    fn open(&self, ws: &mut Socket) {
        ws.send("hello from unix");
    }

    /// Greets elsewhere.
    #[cfg(not(unix))]
    async fn open(&self, ws: &mut Socket) {
        ws.send("hello");
    }

    #[cfg(any())]
    async fn message(&self, there_is_no: SuchType) {}

    #[must_use]
    #[inline]
    fn close(&self) -> HandlerResult {
        Ok(())
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
