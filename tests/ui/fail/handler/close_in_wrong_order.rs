use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn close(&self, ws: &mut Socket, reason: &str, code: CloseCode) {
        println!("{} {code} {reason}", ws.id());
    }
}

fn main() {}
