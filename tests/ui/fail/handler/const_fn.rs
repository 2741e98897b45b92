use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    const fn open(&self) {}
}

fn main() {}
