use harpia::prelude::*;

struct Room(String);

impl std::str::FromStr for Room {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

struct Chat;

#[ws_route("/rooms/{room}")]
impl Chat {
    fn open(&self, room: Room) {
        println!("{}", room.0);
    }

    async fn message(&self, room: Room, message: String) {
        println!("{} {message}", room.0);
    }

    fn close(&self, room: Room) {
        println!("{}", room.0);
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
