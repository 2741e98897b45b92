//! Methods of the user's own that are called as harpia's are, with something of the socket.

use harpia::prelude::*;

struct Filters;

impl Filters {
    fn from_query(&self, text: &str) -> usize {
        text.len()
    }

    fn from_ws(&self, id: u64) -> bool {
        id > 0
    }
}

#[derive(FromHandshake)]
struct Visitor {
    #[from(query)]
    room: Option<String>,
}

struct Search {
    filters: Filters,
}

#[ws_route("/search", data = Visitor, broadcast = off, origins = any)]
impl Search {
    fn open(&self, ws: &mut Socket<Visitor>) {
        ws.send(self.filters.from_ws(ws.id().as_u64()).to_string());
    }

    fn message(&self, ws: &mut Socket<Visitor>) {
        let room = self.filters.from_query(ws.data.room.as_deref().unwrap_or(""));
        ws.send(room.to_string());
    }
}

fn main() {
    let _ = App::new().ws(Search { filters: Filters });
}
