use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn authenticate(&self, ws: &mut Socket, token: String) -> HandlerResult {
        ws.send(token);
        Ok(())
    }

    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
