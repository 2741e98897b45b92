use harpia::prelude::*;

#[derive(FromHandshake)]
struct Account {}

#[derive(FromHandshake)]
struct Visitor {}

struct Chat;

#[ws_route("/chat", data = Account)]
impl Chat {
    fn open(&self, ws: &mut Socket<Visitor>) {
        ws.send("hello");
    }

    async fn message(&self, ws: &mut Socket<Visitor>, message: String) {
        ws.send(message);
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
