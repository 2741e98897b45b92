use harpia::prelude::*;

// It cannot be parsed, and handlers cannot clone it: the first is to be solved first.
struct Room;

struct Chat;

#[ws_route("/rooms/{room}")]
impl Chat {
    fn open(&self, room: Room) {
        drop(room);
    }

    async fn message(&self, room: Room, message: String) {
        drop((room, message));
    }

    fn close(&self, room: &Room) {
        let _ = room;
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
