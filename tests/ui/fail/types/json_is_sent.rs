use harpia::prelude::*;

#[derive(serde::Serialize)]
struct Move {}

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        ws.send(Json(Move {}));
    }
}

fn main() {}
