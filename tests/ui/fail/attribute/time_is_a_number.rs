use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", ping = 30)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
