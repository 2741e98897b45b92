use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from()]
    room: String,
}

fn main() {}
