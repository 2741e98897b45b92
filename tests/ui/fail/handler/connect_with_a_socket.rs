use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn connect(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
