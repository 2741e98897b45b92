//! The route: who has a session is welcomed, and hears what happens to their profile.

use harpia::prelude::*;
use harpia::session::SessionId;
use serde::{Deserialize, Serialize};

/// What a session holds.
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
        // Before the look, so that a logout in the midst of it ends this page too.
        ws.subscribe(topic(&id));
        let profile = self.sessions.get(&id).await?;
        ws.send(format!("Welcome back, {}!", profile.name));
        Ok(())
    }
}

/// Names all pages of one session.
pub(crate) fn topic(id: &SessionId) -> String {
    format!("session {}", id.as_str())
}
