use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) -> Result<(), u32> {
        Err(1)
    }
}

fn main() {}
