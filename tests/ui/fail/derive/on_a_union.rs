use harpia::prelude::*;

#[derive(FromHandshake)]
union ChatData {
    number: u32,
}

fn main() {}
