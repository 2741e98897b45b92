use harpia::prelude::*;

struct Chat;

#[ws_route("/chat/", dta = ChatData, ping = 30)]
impl Chat {
    fn open(&mut self) {}

    fn close(&self, reason: &str) {
        println!("{reason}");
    }
}

fn main() {}
