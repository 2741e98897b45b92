use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/{1st}")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
