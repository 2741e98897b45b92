use harpia::prelude::*;

struct Chat;

#[ws_route("/rooms/{room}")]
impl Chat {
    fn open(&self, ws: &mut Socket, rom: &str) {
        ws.send(rom);
    }
}

fn main() {}
