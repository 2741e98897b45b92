use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn error(&self, error: String) {
        println!("{error}");
    }
}

fn main() {}
