use harpia::prelude::*;

struct Chat;


#[ws_route("/chat", ping = "0s")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
