use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

struct Plain;

routes![Chat, Plain];

fn main() {}
