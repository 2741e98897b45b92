use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self, ws: Socket) {
        ws.send("hello");
    }
}

fn main() {}
