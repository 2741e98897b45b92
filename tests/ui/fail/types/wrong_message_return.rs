use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn message(&self) -> u32 {
        1
    }
}

fn main() {}
