use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(query)]
    #[from(cookie)]
    room: String,
}

fn main() {}
