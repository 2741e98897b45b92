use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/{room_id}")]
impl Chat {
    fn message(&self, room: String) {
        println!("{room}");
    }
}

fn main() {}
