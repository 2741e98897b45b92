use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn connect(&self, ws: &mut Socket) {
        ws.send("hello");
    }

    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
