use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/room-{id}")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
