use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {}

#[derive(FromHandshake)]
struct Other {}

struct Chat;

#[ws_route("/chat", data = ChatData)]
impl Chat {
    fn open(&self, ws: &mut Socket<Other>) {
        ws.send("hello");
    }
}

fn main() {}
