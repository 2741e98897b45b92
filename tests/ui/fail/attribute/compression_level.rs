use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", compression = "best")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
