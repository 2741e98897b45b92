use harpia::prelude::*;

struct Chat;

#[ws_route]
impl Chat {
    fn message(&self) {}
}

fn main() {}
