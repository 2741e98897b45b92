use harpia::prelude::*;

struct Chat;

#[ws_route("/chat?room=1")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
