//! Three routes that take the same token: in the first message, in a cookie, in the query.
//!
//! On each of them, no other client sees the token, an invalid token closes the connection with
//! 1008 "Invalid Token", and an expired one with 4401 "Token Expired".

use harpia::prelude::*;
use serde::{Deserialize, Serialize};

/// The claims of a token.
#[derive(Deserialize, Serialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) exp: u64,
}

/// The user of a connection. The name is empty until the token is verified.
#[derive(FromHandshake)]
struct User {
    #[from(default)]
    name: String,
}

/// Takes the token from the first message.
///
/// Every client can send it this way, and proxies do not log it.
pub(crate) struct ByMessage(pub(crate) Jwt<Claims>);

#[ws_route("/by-message", data = User)]
impl ByMessage {
    async fn auth(&self, ws: &mut Socket<User>, first: String) -> HandlerResult {
        ws.data.name = self.0.from_message(ws, &first)?.sub;
        ws.send(format!("Welcome, {}!", ws.data.name));
        Ok(())
    }

    fn message(&self, ws: &mut Socket<User>, message: String) -> Broadcast {
        with_author(ws, &message)
    }
}

/// Takes the token from a cookie, for pages with a login.
///
/// No script can read the cookie, and only pages of this server's own origin can connect with it.
pub(crate) struct ByCookie(pub(crate) Jwt<Claims>);

#[ws_route("/by-cookie", data = User)]
impl ByCookie {
    fn open(&self, ws: &mut Socket<User>) -> HandlerResult {
        ws.data.name = self.0.from_cookie(ws, "token")?.sub;
        ws.send(format!("Welcome, {}!", ws.data.name));
        Ok(())
    }

    fn message(&self, ws: &mut Socket<User>, message: String) -> Broadcast {
        with_author(ws, &message)
    }
}

/// Takes the token from the query. **Use this only for clients that support nothing else.**
///
/// Proxies write URLs to their logs and browsers to their history, and every reader of those has
/// the token. Issue such tokens with a lifetime of a few seconds.
pub(crate) struct ByQuery(pub(crate) Jwt<Claims>);

#[ws_route("/by-query", data = User)]
impl ByQuery {
    fn open(&self, ws: &mut Socket<User>) -> HandlerResult {
        ws.data.name = self.0.from_query(ws, "token")?.sub;
        ws.send(format!("Welcome, {}!", ws.data.name));
        Ok(())
    }

    fn message(&self, ws: &mut Socket<User>, message: String) -> Broadcast {
        with_author(ws, &message)
    }
}

/// Broadcasts the text with its author in place of the original message.
fn with_author(ws: &Socket<User>, message: &str) -> Broadcast {
    Broadcast::Replace(format!("{}: {message}", ws.data.name).into())
}
