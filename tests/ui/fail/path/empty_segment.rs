use harpia::prelude::*;

struct Chat;

#[ws_route("/a//b")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
