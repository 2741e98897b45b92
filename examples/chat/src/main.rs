//! A chat with rooms: open the page in two windows and talk.
//!
//! [`chat`] is the WebSocket route, [`rooms`] keeps the people of each room, and [`page`] serves
//! the page. The page's files are compiled into the program, which needs no other service.
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default.

mod chat;
mod page;
mod rooms;

use std::env;

use harpia::prelude::*;

use chat::Chat;

#[tokio::main]
async fn main() -> harpia::Result {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    println!("open http://{address} in two windows");
    App::new()
        .ws(Chat::default())
        .fallback(page::router())
        .listen(address)
        .await
}
