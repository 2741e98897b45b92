use harpia::prelude::*;

#[ws_route("/chat")]
fn message(message: String) {
    println!("{message}");
}

fn main() {}
