use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", data = ChatDta)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
