use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    unsafe fn open(&self) {}
}

fn main() {}
