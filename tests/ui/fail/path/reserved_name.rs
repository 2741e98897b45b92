use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/{message}")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
