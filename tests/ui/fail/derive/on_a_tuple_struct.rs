use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData(Cookies);

fn main() {}
