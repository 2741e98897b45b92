use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(default)]
    user: User,
}

struct User;

fn main() {}
