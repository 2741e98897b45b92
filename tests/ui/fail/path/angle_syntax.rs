use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/<int:id>")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
