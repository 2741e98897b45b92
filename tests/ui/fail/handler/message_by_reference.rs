use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn message(&self, message: &str) {
        println!("{message}");
    }
}

fn main() {}
