use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
#[ws_route("/talk")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
