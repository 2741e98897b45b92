use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn r#authenticate(&self, ws: &mut Socket, first: String) -> HandlerResult {
        ws.send(first);
        Ok(())
    }

    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
