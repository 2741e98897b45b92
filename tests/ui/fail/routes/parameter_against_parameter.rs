use harpia::prelude::*;

struct Rooms;

#[ws_route("/rooms/{room}")]
impl Rooms {
    fn message(&self) {}
}

struct Halls;

#[ws_route("/rooms/{hall}")]
impl Halls {
    fn message(&self) {}
}

routes![Rooms, Halls];

fn main() {}
