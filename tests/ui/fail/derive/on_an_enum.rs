use harpia::prelude::*;

#[derive(FromHandshake)]
enum ChatData {
    Guest,
    User,
}

fn main() {}
