use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(header)]
    größe: Option<String>,
}

fn main() {}
