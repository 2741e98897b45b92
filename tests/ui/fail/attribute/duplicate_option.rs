use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", data = (), data = ())]
impl Chat {
    fn message(&self) {}
}

fn main() {}
