use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(default = "room")]
    room: String,
}

fn main() {}
