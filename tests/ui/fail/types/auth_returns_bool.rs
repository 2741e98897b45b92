use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn auth(&self, first: String) -> bool {
        first == "token"
    }
}

fn main() {}
