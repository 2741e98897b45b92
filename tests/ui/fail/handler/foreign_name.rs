use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn connected(&self, ws: &mut Socket) {
        ws.send("welcome");
    }

    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
