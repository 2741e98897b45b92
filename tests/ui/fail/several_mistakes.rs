use harpia::prelude::*;

struct Chat;

#[ws_route("/chat/", dta = ChatData, ping = 30)]
impl Chat {
    fn open(&mut self) {}

    fn mesage(&self, ws: &mut Socket) {
        ws.send("hello");
    }
}

fn main() {}
