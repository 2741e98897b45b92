//! The bare engine: `/echo` answers its sender, `/chat` is the automatic broadcast.
//!
//! For load tests and conformance suites: 16 MiB messages are allowed, no rate is set, and nothing
//! is printed per message. Listens on 127.0.0.1 and `$PORT`, 3000 by default.

use std::env;

use harpia::prelude::*;

struct Echo;

#[ws_route("/echo", broadcast = off, max_message = "16MiB", backlog = "64MiB", rate = off)]
impl Echo {
    fn message(&self, socket: &mut Socket, message: Message) {
        socket.send(message);
    }
}

struct Chat;

#[ws_route("/chat", broadcast = route, max_message = "16MiB", backlog = "64MiB", rate = off)]
impl Chat {
    fn message(&self) {}
}

#[tokio::main]
async fn main() -> harpia::Result {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    println!("echo on ws://{address}/echo, chat on ws://{address}/chat");
    App::new().ws(Echo).ws(Chat).listen(address).await
}
