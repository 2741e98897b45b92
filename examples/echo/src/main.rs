//! The bare engine: `/echo` answers its sender, `/chat` is the automatic broadcast, `/rooms/{room}`
//! a topic for each room.
//!
//! For load tests and conformance suites: 16 MiB messages are allowed, no rate is set, and nothing
//! is printed per message. Listens on 127.0.0.1 and `$PORT`, 3000 by default.

use std::{env, thread};

use harpia::prelude::*;
use tokio::runtime::Builder;

struct Echo;

#[ws_route("/echo", broadcast = off, max_message = "16MiB", backlog = "64MiB", rate = off, compression = on)]
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
    // One core is left to the hub's thread, which delivers what is broadcast.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores.saturating_sub(1).max(1))
        .enable_all()
        .build()?;
    runtime.block_on(App::new().ws(Echo).ws(Chat).ws(Rooms).listen(address))
}
