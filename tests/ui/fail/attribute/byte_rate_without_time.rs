use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", publish_rate = "256KiB")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
