//! Methods of the user's own that have the names of harpia's, and take the socket as those do: in
//! handlers that run after the handshake is forgotten, and on a route of any origin.

use harpia::prelude::*;

struct Filters;

impl Filters {
    fn from_query(&self, _: &Socket<Visitor>, name: &str) -> usize {
        name.len()
    }

    fn from_cookie(&self, _: &mut Socket<Visitor>, name: &str) -> String {
        name.to_owned()
    }

    fn from_bearer(&self, _: &mut Socket<Visitor>) {}

    fn id_from_ws(&self, ws: &Socket<Visitor>) -> u64 {
        ws.id().as_u64()
    }

    async fn from_ws(&self, ws: &mut Socket<Visitor>) -> bool {
        ws.data.room.is_some()
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
    async fn open(&self, ws: &mut Socket<Visitor>) {
        if self.filters.from_ws(ws).await {
            ws.send(self.filters.id_from_ws(ws).to_string());
        }
    }

    async fn message(&self, ws: &mut Socket<Visitor>) {
        let found = self.filters.from_query(ws, "room");
        let theme = self.filters.from_cookie(ws, "theme");
        let is_in_a_room = self.filters.from_ws(&mut *ws).await;
        ws.send(format!("{found} {theme} {is_in_a_room}"));
    }

    fn close(&self, socket: &mut Socket<Visitor>) {
        self.filters.from_bearer(socket);
    }

    fn drain(&self, socket: &mut Socket<Visitor>) {
        self.filters.id_from_ws(socket);
    }
}

fn main() {
    let _ = App::new().ws(Search { filters: Filters });
}
