use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", broadcast = room)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
