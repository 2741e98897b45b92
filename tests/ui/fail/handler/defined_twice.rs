use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn open(&self) {}

    fn message(&self) {
        self.open();
    }

    async fn open(&self, ws: &mut Socket) {
        ws.send("hello");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
