use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self) -> Vec<u32> {
        Vec::new()
    }
}

fn main() {}
