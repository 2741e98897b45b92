use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn connect(&self, request: &Handshake, address: RemoteAddr) -> HandlerResult {
        println!("{} {:?}", request.uri(), address);
        Ok(())
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
