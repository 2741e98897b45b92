use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", idle_timeout = "30")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
