use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn connect(&self, request: &Handshake) {
        println!("{}", request.uri());
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
