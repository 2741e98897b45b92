use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", slow = drop)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
