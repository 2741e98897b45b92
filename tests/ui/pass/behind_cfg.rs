//! Handlers behind `cfg` whose types are behind it too.

#![deny(warnings)]

use harpia::prelude::*;

#[cfg(any())]
struct Id;

struct Rooms;

#[ws_route("/rooms/{id}/{page}")]
impl Rooms {
    #[cfg(any())]
    fn open(&self, ws: &mut Socket<Visitor>, id: Id) {}

    fn message(&self, ws: &mut Socket<Cookies>, page: u32, message: String) {
        ws.send(format!("{page} {message}"));
    }

    #[cfg(not(any()))]
    #[cfg(all())]
    fn close(&self, id: u64, page: &u32) {
        println!("{id} {page}");
    }
}

struct Shared;

#[ws_route("/shared/{id}")]
impl Shared {
    #[cfg(all())]
    fn open(&self, id: u8) {
        println!("{id}");
    }

    #[cfg(any())]
    fn message(&self, id: u8) {}

    #[cfg(any())]
    fn close(&self, id: u16) {}

    #[cfg(any())]
    fn drain(&self, id: u16) {}
}

struct Generic<T>(T);

#[ws_route("/generic/{id}")]
impl<T: Send + Sync + Clone + std::str::FromStr + 'static> Generic<T> {
    #[cfg(any())]
    fn open(&self, id: Vec<T>) {}

    #[cfg(all())]
    fn message(&self, id: T) {
        let _ = (id, &self.0);
    }
}

struct Indirect;

/// What `cfg_attr` adds is a `cfg`, or is none.
#[ws_route("/indirect/{id}")]
impl Indirect {
    #[cfg_attr(all(), allow(clippy::unused_self), must_use)]
    fn auth(&self, first: String) -> HandlerResult {
        Err(first.into())
    }

    #[cfg_attr(all(), doc = "Not there.", cfg(any()))]
    fn open(&self, id: Id) {}

    #[cfg_attr(any(), cfg(any()))]
    fn message(&self, id: u8) {
        println!("{id}");
    }

    #[cfg_attr(all(), cfg_attr(all(), cfg(any())))]
    fn close(&self) {}

    #[cfg_attr(all(), cfg(all()))]
    fn close(&self, id: u16) {
        println!("{id}");
    }
}

fn main() {
    let _ = App::new().ws(Rooms).ws(Shared).ws(Generic(1)).ws(Indirect);
}
