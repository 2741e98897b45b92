use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

struct Talk;

#[ws_route("/chat")]
impl Talk {
    fn message(&self) {}
}

routes![Chat, Talk];

fn main() {}
