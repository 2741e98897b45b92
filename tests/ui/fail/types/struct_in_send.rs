use harpia::prelude::*;

#[derive(serde::Serialize)]
struct Welcome {
    online: usize,
}

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        let online = ws.hub().connections();
        ws.send(Welcome { online });
    }
}

fn main() {}
