use harpia::prelude::*;

struct Chat;

#[ws_route("/files/{*rest}")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
