use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn close(&self, ws: &mut Socket, code: u16) {
        println!("{} {code}", ws.id());
    }
}

fn main() {}
