use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", brodcast = off, brodcast = off)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
