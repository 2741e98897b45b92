use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(querry)]
    room: String,
}

fn main() {}
