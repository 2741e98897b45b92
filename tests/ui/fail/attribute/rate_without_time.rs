use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", rate = "50")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
