use harpia::prelude::*;

struct Chat;

#[ws_route("/my chat")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
