use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {}

struct Chat;

#[ws_route("/chat", dta = ChatData)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
