use harpia::prelude::*;

struct Profile {
    name: String,
}

struct Updates {
    sessions: Session<Profile>,
}

#[ws_route("/updates")]
impl Updates {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        let profile = self.sessions.from_ws(ws).await?;
        ws.send(profile.name);
        Ok(())
    }
}

fn main() {
    let sessions = Session::memory();
    let _ = App::new().ws(Updates { sessions });
}
