use harpia::prelude::*;

struct Chat;


#[ws_route("/chat", idle_timeout = "5 minutes")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
