//! The WebSocket route: greets the user of the session, and sends updates of the profile.

use harpia::prelude::*;
use harpia::session::SessionId;
use serde::{Deserialize, Serialize};

/// The data of a session.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Profile {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) role: String,
}

pub(crate) struct ProfileUpdates {
    pub(crate) sessions: Session<Profile>,
}

#[ws_route("/profile-updates", broadcast = off)]
impl ProfileUpdates {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        let id = self.sessions.id_from_ws(ws)?;
        // Race: the user may log out while the session is being read. A logout closes the
        // subscribers of the topic, so the connection subscribes before it reads the session.
        ws.subscribe(topic(&id));
        let profile = self.sessions.get(&id).await?;
        ws.send(format!("Welcome back, {}!", profile.name));
        Ok(())
    }
}

/// Returns the topic to which all pages of one session subscribe.
pub(crate) fn topic(id: &SessionId) -> String {
    format!("session {}", id.as_str())
}
