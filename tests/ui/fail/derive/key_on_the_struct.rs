use harpia::prelude::*;

#[derive(FromHandshake)]
#[from(query)]
struct ChatData {
    #[from(query)]
    room: String,
}

fn main() {}
