use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(query)]
    rooms: Vec<String>,
}

fn main() {}
