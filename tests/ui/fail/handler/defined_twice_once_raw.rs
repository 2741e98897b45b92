use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}

    fn r#message(&self) {}
}

fn main() {}
