use harpia::prelude::*;

struct ChatData;

struct Chat;

#[ws_route("/chat", data = ChatData)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
