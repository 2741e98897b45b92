use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", protocols = ["chat.v1", "chat.v1"])]
impl Chat {
    fn message(&self) {}
}

fn main() {}
