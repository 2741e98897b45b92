use harpia::prelude::*;

const PATH: &str = "/chat";

struct Chat;

#[ws_route(PATH)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
