use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn mesage(&self, ws: &mut Socket) {
        ws.send("hello");
    }

    fn open(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
