use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self, message: Vec<u32>) {
        drop(message);
    }
}

fn main() {}
