use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    cookies: Cookies,
}

fn read(data: ChatData) -> Cookies {
    data.cookies
}

struct Chat;

#[ws_route("/chat", data = ChatData, origins = any)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
