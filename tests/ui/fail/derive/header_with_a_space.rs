use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(header = "user agent")]
    agent: Option<String>,
}

fn main() {}
