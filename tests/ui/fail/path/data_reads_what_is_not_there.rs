use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(path)]
    game: u32,
}

fn read(data: ChatData) -> u32 {
    data.game
}

struct Chat;

#[ws_route("/rooms/{room}", data = ChatData)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
