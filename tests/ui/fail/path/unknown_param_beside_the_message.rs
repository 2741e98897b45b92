use harpia::prelude::*;

struct Chat;


#[ws_route("/games/{id}")]
impl Chat {
    fn open(&self) {}

    fn message(&self, game: u32, message: String) {
        println!("{game} {message}");
    }
}

fn main() {}
