//! A server without a page, for load tests and conformance suites.
//!
//! `/echo` sends each message back to its sender, `/chat` broadcasts it to all other connections,
//! and `/rooms/{room}` publishes it to a topic for each room. Messages may have up to 16 MiB,
//! there is no limit on rates, and the program prints nothing per message.
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default.

use std::{env, thread};

use harpia::prelude::*;
use tokio::runtime::Builder;

struct Echo;

#[ws_route(
    "/echo",
    broadcast = off,
    max_message = "16MiB",
    backlog = "64MiB",
    rate = off,
    compression = on
)]
impl Echo {
    fn message(&self, ws: &mut Socket, message: Message) {
        ws.send(message);
    }
}

struct Chat;

#[ws_route("/chat", broadcast = route, max_message = "16MiB", backlog = "64MiB", rate = off)]
impl Chat {
    fn message(&self) {}
}

struct Rooms;

#[ws_route("/rooms/{room}", broadcast = off, max_message = "16MiB", backlog = "64MiB", rate = off)]
impl Rooms {
    fn open(&self, ws: &mut Socket, room: &str) {
        ws.subscribe(room);
    }

    fn message(&self, ws: &mut Socket, room: &str, message: Message) {
        ws.publish(room, message);
    }
}

fn main() -> harpia::Result {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    println!("on ws://{address}: /echo, /chat, /rooms/{{room}}");
    // Leave one core to the flusher thread, which delivers the broadcasts.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores.saturating_sub(1).max(1))
        .enable_all()
        .build()?;
    let app = App::new().byte_rate(None).publish_rate(None);
    runtime.block_on(app.ws(Echo).ws(Chat).ws(Rooms).listen(address))
}
