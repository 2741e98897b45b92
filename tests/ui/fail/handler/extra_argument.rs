use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket, name: String) {
        ws.send(name);
    }
}

fn main() {}
