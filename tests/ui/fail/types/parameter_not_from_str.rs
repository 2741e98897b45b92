use harpia::prelude::*;

#[derive(Clone)]
struct Room;

struct Chat;

#[ws_route("/rooms/{room}")]
impl Chat {
    fn open(&self, room: Room) {
        drop(room);
    }
}

fn main() {}
