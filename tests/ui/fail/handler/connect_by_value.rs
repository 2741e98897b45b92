use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn connect(&self, request: Handshake) -> HandlerResult {
        println!("{}", request.uri());
        Ok(())
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
