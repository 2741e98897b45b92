use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", max_message = "64kb")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
