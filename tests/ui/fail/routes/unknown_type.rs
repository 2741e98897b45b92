use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

struct Log;

#[ws_route("/log")]
impl Log {
    fn message(&self) {}
}

routes![Chat, Log, Rooms];

fn main() {}
