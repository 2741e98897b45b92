use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message<T: FromMessage>(&self, message: T) {
        drop(message);
    }
}

fn main() {}
