//! Macro calls among the handlers, for what is no handler.

#![deny(warnings)]

use harpia::prelude::*;

macro_rules! counted {
    ($name:ident) => {
        const LIMIT: usize = 3;

        fn $name(&self, text: &str) -> bool {
            text.len() > Self::LIMIT
        }
    };
}

struct Chat;

#[ws_route("/chat")]
impl Chat {
    counted!(is_long);

    fn message(&self, ws: &mut Socket, message: String) {
        if self.is_long(&message) {
            ws.close(1008, "too long");
        }
    }
}

struct Feed<T>(T);

#[ws_route("/feed")]
impl<T: Send + Sync + ToString + 'static> Feed<T> {
    counted! { is_long }

    fn auth(&self, first: String) -> HandlerResult {
        if self.is_long(&first) { Err("too long".into()) } else { Ok(()) }
    }

    fn open(&self, ws: &mut Socket) {
        ws.send(self.0.to_string());
    }
}

struct Generic<T>(T);

#[ws_route("/generic")]
impl<T: Send + Sync + ToString + 'static> Generic<T> {
    counted!(is_long);

    fn open(&self, ws: &mut Socket) {
        let text = self.0.to_string();
        if self.is_long(&text) {
            ws.send(text);
        }
    }
}

fn main() {
    let _ = App::new().ws(Chat).ws(Feed(1)).ws(Generic(1));
}
