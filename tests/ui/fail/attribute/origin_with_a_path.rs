use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", origins = ["https://example.com/chat"])]
impl Chat {
    fn message(&self) {}
}

fn main() {}
