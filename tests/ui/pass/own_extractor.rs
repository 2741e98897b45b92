//! Data by hand, which may wait and refuse; and a type of one's own as a field.

use harpia::extract::{FromHandshake, Handshake, Rejection};
use harpia::prelude::*;
use serde::Deserialize;

struct Token(String);

impl FromHandshake for Token {
    const READS_COOKIES: bool = true;

    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        std::future::ready(()).await;
        let token = handshake.header("x-token").map(String::from);
        token.map(Self).ok_or_else(|| Rejection::bad_request("no token"))
    }
}

#[derive(Deserialize)]
struct Page {
    number: u32,
}

#[derive(FromHandshake)]
struct Data {
    token: Token,
    page: Query<Page>,
}

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket<Data>) {
        ws.send(format!("{} {}", ws.data.token.0, ws.data.page.0.number));
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
