//! Connection data: read from the handshake, completed in `open`.
//!
//! `open` looks up the user of the `session_id` cookie and attaches the user's id, which every
//! handler can read. If the cookie is missing or unknown, it closes the connection with 1008
//! "Unauthorized". Try
//!
//! ```text
//! websocat -H 'Cookie: session_id=ada' 'ws://127.0.0.1:3000/chat?room=garden'
//! ```
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default.

use std::collections::HashMap;
use std::env;

use harpia::prelude::*;

/// The data that each connection owns.
#[derive(FromHandshake)]
struct ChatData {
    cookies: Cookies,
    #[from(query)]
    room: Option<String>,
    #[from(header = "user-agent")]
    agent: Option<String>,
    /// Not part of the handshake: `open` sets it.
    #[from(default)]
    user_id: Option<u64>,
}

/// The state that all connections of the route share.
struct Chat {
    users: Users,
}

#[ws_route("/chat", data = ChatData)]
impl Chat {
    async fn open(&self, ws: &mut Socket<ChatData>) -> HandlerResult {
        let session = ws.data.cookies.get("session_id");
        let session = session.or_close(CloseCode::POLICY, "Unauthorized")?;
        let user = self.users.find(session).await;
        ws.data.user_id = Some(user.or_close(CloseCode::POLICY, "Unauthorized")?);
        ws.send("welcome");
        Ok(())
    }

    async fn message(&self, ws: &mut Socket<ChatData>, message: String) -> Broadcast {
        let ChatData { user_id, room, .. } = &ws.data;
        println!("{user_id:?} in {room:?}: {message}");
        let name = user_id.unwrap_or_default();
        // The other clients receive the text with its author in place of the original message.
        Broadcast::Replace(format!("user {name}: {message}").into())
    }

    async fn close(&self, ws: &mut Socket<ChatData>, code: CloseCode, reason: &str) {
        let ChatData { user_id, agent, .. } = &ws.data;
        println!("{user_id:?} with {agent:?} left: {code} {reason}");
    }

    fn error(&self, error: &harpia::Error) {
        eprintln!("{error:#}");
    }
}

/// A stand-in for a database.
struct Users(HashMap<&'static str, u64>);

impl Users {
    /// Finds the user of a session.
    async fn find(&self, session: &str) -> Option<u64> {
        self.0.get(session).copied()
    }
}

#[tokio::main]
async fn main() -> harpia::Result {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    println!("listening on ws://{address}/chat");
    let users = Users(HashMap::from([("ada", 1), ("grace", 2)]));
    App::new().ws(Chat { users }).listen(address).await
}
