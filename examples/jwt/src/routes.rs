//! One token, read at three places: in the first message, in a cookie, in the query.
//!
//! Whichever it is, the token reaches nobody else, a bad one closes with 1008 "Invalid Token", and
//! the connection ends with the token: 4401 "Token expired".

use harpia::prelude::*;
use serde::{Deserialize, Serialize};

/// What a token says.
#[derive(Deserialize, Serialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) exp: u64,
}

/// Who is at the other end, once the token has told.
#[derive(FromHandshake)]
struct User {
    #[from(default)]
    name: String,
}

/// The token is the first message: any client can send it, and no log on the way sees it.
pub(crate) struct ByMessage(pub(crate) Jwt<Claims>);

#[ws_route("/by-message", data = User)]
impl ByMessage {
    async fn auth(&self, ws: &mut Socket<User>, first: String) -> HandlerResult {
        ws.data.name = self.0.from_message(ws, &first)?.sub;
        ws.send(format!("Welcome, {}!", ws.data.name));
        Ok(())
    }

    fn message(&self, ws: &mut Socket<User>, message: String) -> Broadcast {
        said(ws, &message)
    }
}

/// The token is in a cookie, for pages that are logged in: no script sees it, and only pages of this
/// server's own origin can connect with it.
pub(crate) struct ByCookie(pub(crate) Jwt<Claims>);

#[ws_route("/by-cookie", data = User)]
impl ByCookie {
    fn open(&self, ws: &mut Socket<User>) -> HandlerResult {
        ws.data.name = self.0.from_cookie(ws, "token")?.sub;
        ws.send(format!("Welcome, {}!", ws.data.name));
        Ok(())
    }

    fn message(&self, ws: &mut Socket<User>, message: String) -> Broadcast {
        said(ws, &message)
    }
}

/// The token is in the query. **Only where a client can do nothing else**: proxies write URLs into
/// their logs and browsers into their history, and whoever reads those has the token. Let it be
/// valid for seconds.
pub(crate) struct ByQuery(pub(crate) Jwt<Claims>);

#[ws_route("/by-query", data = User)]
impl ByQuery {
    fn open(&self, ws: &mut Socket<User>) -> HandlerResult {
        ws.data.name = self.0.from_query(ws, "token")?.sub;
        ws.send(format!("Welcome, {}!", ws.data.name));
        Ok(())
    }

    fn message(&self, ws: &mut Socket<User>, message: String) -> Broadcast {
        said(ws, &message)
    }
}

/// In place of the message as it came, the others get it with who said it.
fn said(ws: &Socket<User>, message: &str) -> Broadcast {
    Broadcast::Replace(format!("{}: {message}", ws.data.name).into())
}
