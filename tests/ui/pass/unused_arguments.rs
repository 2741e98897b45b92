//! Arguments that are not used, named as rustc advises.

#![deny(warnings)]

use harpia::prelude::*;

struct Room;

#[ws_route("/rooms/{room}/{_raw}")]
impl Room {
    fn open(&self, _ws: &mut Socket, _room: u32, _raw: &str) {}

    async fn message(&self, _room: &str, _message: String) {}

    fn close(&self, _code: CloseCode, _reason: &str, _room: u32) {}

    fn error(&self, _error: &harpia::Error) {}
}

struct Nothing;

#[ws_route("/nothing/{room}")]
impl Nothing {
    fn message(&self, _text: Message, room: String) {
        drop(room);
    }
}

fn main() {
    let _ = App::new().ws(Room).ws(Nothing);
}
