use harpia::prelude::*;

#[ws_route("/chat")]
struct Chat;

fn main() {}
