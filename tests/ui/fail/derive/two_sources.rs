use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(query, header = "x-room")]
    room: String,
}

fn main() {}
