use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(header = "Cookie")]
    cookies: Option<String>,
}

fn read(data: ChatData) -> Option<String> {
    data.cookies
}

struct Chat;

#[ws_route("/chat", data = ChatData, origins = any)]
impl Chat {
    fn message(&self) {}
}

fn main() {}
