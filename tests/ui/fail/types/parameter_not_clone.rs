use harpia::prelude::*;

struct Room;

impl std::str::FromStr for Room {
    type Err = std::convert::Infallible;

    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Ok(Self)
    }
}

struct Chat;

#[ws_route("/rooms/{room}")]
impl Chat {
    fn open(&self, room: Room) {
        drop(room);
    }
}

fn main() {}
