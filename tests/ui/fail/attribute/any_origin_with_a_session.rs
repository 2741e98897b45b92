use harpia::prelude::*;

struct Updates {
    sessions: Session<String>,
}

#[ws_route("/updates", origins = any)]
impl Updates {
    async fn open(&self, ws: &mut Socket) -> HandlerResult {
        let name = self.sessions.from_ws(ws).await?;
        ws.send(name);
        Ok(())
    }
}

fn main() {}
