use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", "/talk")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
