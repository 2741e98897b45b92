use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self) -> Broadcast {
        Broadcast::Skip
    }
}

fn main() {}
