use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", auth_timeout = off)]
impl Chat {
    async fn auth(&self, first: String) -> HandlerResult {
        (first == "token").then_some(()).ok_or("no".into())
    }
}

fn main() {}
