use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn close(&self, reason: &str) {
        println!("{reason}");
    }
}

fn main() {}
