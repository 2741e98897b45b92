use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn on_upgrade(&self, ws: &mut Socket) {
        ws.send("welcome");
    }

    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
