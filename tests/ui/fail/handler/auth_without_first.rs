use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn auth(&self, ws: &mut Socket) -> HandlerResult {
        ws.send("welcome");
        Ok(())
    }
}

fn main() {}
