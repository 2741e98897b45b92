//! Other methods, constants and types of the block stay what they are.

use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    const LIMIT: usize = 3;

    pub fn new() -> Self {
        Self
    }

    async fn message(&self, ws: &mut Socket, text: String) {
        self.close_room(ws, &text);
        self.handle_message(&text);
        self.on_entry::<u32>(1);
        self.connect(ws);
    }

    fn open(&self) {}

    fn close_room(&self, ws: &mut Socket, text: &str) {
        if text.len() > Self::LIMIT {
            ws.close(1000, "bye");
        }
    }

    fn handle_message(&self, _: &str) {}

    fn on_entry<T>(&self, _: T) {}

    // Others call `open` so; here there is one, so this is something else.
    fn connect(&self, ws: &mut Socket) {
        ws.subscribe("all");
    }
}

fn main() {
    let _ = App::new().ws(Chat::new());
}
