//! Generated code is silent under the strictest lints, and needs no documentation.

#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, unused_results)]
#![deny(single_use_lifetimes, unused_lifetimes, elided_lifetimes_in_paths, trivial_casts)]
#![deny(missing_debug_implementations, let_underscore_drop, non_ascii_idents)]

use harpia::prelude::*;

#[derive(FromHandshake)]
struct Data {
    #[from(path)]
    room: u32,
}

struct Room;

#[ws_route(
    "/rooms/{room}",
    data = Data,
    broadcast = route,
    max_message = "64KiB",
    idle_timeout = "2m",
    ping = "30s",
    backlog = "1MiB",
    slow = skip,
    rate = "50/s",
    origins = ["https://example.com"],
    protocols = ["chat.v1"],
)]
impl Room {
    async fn open(&self, ws: &mut Socket<Data>, room: u32) {
        assert_eq!(ws.data.room, room);
    }

    fn message(&self, message: String, room: &str) -> Broadcast {
        println!("{room}: {message}");
        Broadcast::Pass
    }
}

routes![Room];

fn main() {
    drop(App::new().merge(routes(Room)));
}
