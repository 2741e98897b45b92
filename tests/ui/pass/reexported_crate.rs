//! harpia under another name, from a crate that re-exports it.

mod facade {
    pub mod web {
        pub use ::harpia::*;
    }
}

// So that `::harpia` is not what is found by accident.
mod harpia {}

use facade::web::{App, Socket};

#[derive(facade::web::FromHandshake)]
#[from(crate = facade::web)]
struct Data {
    #[from(query)]
    name: Option<String>,
}

struct Chat;

#[facade::web::ws_route("/chat", crate = facade::web)]
impl Chat {
    fn open(&self, ws: &mut Socket<Data>) {
        ws.send(ws.data.name.clone().unwrap_or_default());
    }
}

facade::web::routes![crate = facade::web; fn all; Chat];

fn main() {
    let _ = App::new().merge(all(Chat));
}
