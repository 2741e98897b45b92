use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn close<'a>(&'a self, _ws: &mut Socket, _code: CloseCode, reason: &'a str) {
        println!("{reason}");
    }
}

fn main() {}
