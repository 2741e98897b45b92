//! Other methods, constants and types of the block stay what they are, whatever their names.

#![deny(warnings)]

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
        self.connected(ws);
        self.on_open(ws);
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
    fn connected(&self, ws: &mut Socket) {
        ws.subscribe("all");
    }

    fn on_open(&self, _: &mut Socket) {}
}

/// Methods that look like handlers, and are called: by a handler, or from elsewhere.
pub struct Feed;

#[ws_route("/feed")]
impl Feed {
    fn message(&self, ws: &mut Socket, message: String) {
        if self.login(&message) {
            self.connected(ws);
        }
        self.greet(ws);
    }

    fn login(&self, message: &str) -> bool {
        message == "token"
    }

    fn connected(&self, ws: &mut Socket) {
        ws.send("welcome");
    }

    fn on_close(&self, code: CloseCode) {
        println!("{code}");
    }

    fn authenticate(&self, ws: &mut Socket) {
        ws.send("who are you?");
    }

    pub fn on_error(&self, _ws: &mut Socket) {}

    #[allow(dead_code)]
    fn on_drain(&self) {}
}

impl Feed {
    fn greet(&self, ws: &mut Socket) {
        self.authenticate(ws);
    }
}

/// Routes that are not added to an app yet. Nothing calls their methods.
#[allow(dead_code)]
mod later {
    use harpia::prelude::*;

    struct Plain(u8);

    #[ws_route("/plain")]
    impl Plain {
        fn message(&self, ws: &mut Socket) {
            self.connected(ws);
        }

        fn connected(&self, ws: &mut Socket) {
            ws.send(self.0.to_string());
        }
    }

    struct Generic<T>(T);

    #[ws_route("/generic")]
    impl<T: Send + Sync + ToString + 'static> Generic<T> {
        fn message(&self, ws: &mut Socket) {
            self.connected(ws);
        }

        fn connected(&self, ws: &mut Socket) {
            ws.send(self.0.to_string());
        }
    }
}

fn main() {
    let feed = Feed;
    feed.on_close(CloseCode::NORMAL);
    let _ = App::new().ws(Chat::new()).ws(feed);
}
