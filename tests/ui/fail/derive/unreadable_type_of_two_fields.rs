use harpia::prelude::*;

struct Room;

#[derive(FromHandshake)]
struct ChatData {
    #[from(query)]
    room: Room,
    #[from(cookie)]
    last_room: Option<Room>,
}

fn main() {}
