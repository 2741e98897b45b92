use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn error(&self, error: harpia::Error) {
        println!("{error}");
    }
}

fn main() {}
