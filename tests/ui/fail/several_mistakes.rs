use harpia::prelude::*;

struct Chat;

#[ws_route("/chat/", dta = ChatData, ping = 30)]
impl Chat {
    fn open(&mut self) {}

    const fn close(&self) {}
}

fn main() {}
