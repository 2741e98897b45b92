use harpia::prelude::*;

struct Chat;

trait Talk {
    fn message(&self);
}

#[ws_route("/chat")]
impl Talk for Chat {
    fn message(&self) {}
}

fn main() {}
