//! A route that a `macro_rules!` writes: literals and types come in invisible groups.

use harpia::prelude::*;

#[derive(FromHandshake)]
struct Data {}

macro_rules! route {
    ($name:ident, $path:literal, $data:ty, $size:literal, $message:ty) => {
        struct $name;

        #[ws_route($path, data = $data, max_message = $size)]
        impl $name {
            fn message(&self, ws: &mut Socket<$data>, message: $message) {
                ws.send(message);
            }
        }
    };
}

route!(Chat, "/chat", Data, "1KiB", String);
route!(Talk, "/talk", (), "2KiB", Bytes);

fn main() {
    let _ = App::new().ws(Chat).ws(Talk);
}
