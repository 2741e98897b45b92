use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(ws: &mut Socket) {
        ws.send("hello");
    }
}

fn main() {}
