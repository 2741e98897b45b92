use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn r#auth(&self, ws: &mut Socket) -> HandlerResult {
        ws.send("who are you?");
        Ok(())
    }

    fn message(&self) {}
}

fn main() {}
