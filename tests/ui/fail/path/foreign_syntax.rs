use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/:id")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
