use harpia::prelude::*;

struct Rooms;

#[ws_route("/{room}")]
impl Rooms {
    fn open(&self, room: &mut String) {
        room.clear();
    }
}

fn main() {}
