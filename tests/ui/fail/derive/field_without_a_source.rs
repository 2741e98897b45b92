use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    room: String,
}

fn main() {}
