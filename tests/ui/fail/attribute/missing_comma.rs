use harpia::prelude::*;

struct Chat;

#[ws_route("/chat" broadcast = off)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
