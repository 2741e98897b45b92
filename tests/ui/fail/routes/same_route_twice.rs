use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

routes![Chat, Chat];

fn main() {}
