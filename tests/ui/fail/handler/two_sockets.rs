use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket, other: &mut Socket) {
        ws.send("hello");
        other.send("hello");
    }
}

fn main() {}
