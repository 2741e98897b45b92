use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

#[ws_route("/talk")]
impl Chat {
    fn open(&self) {}
}

fn main() {}
