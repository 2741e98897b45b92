use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", auth_timeout = "5s")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
