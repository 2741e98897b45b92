use harpia::prelude::*;

#[derive(FromHandshake)]
struct Visitor {
    place: Place,
}

#[derive(FromHandshake)]
struct Place {
    #[from(path = "floor")]
    number: u32,
}

struct Chat;

#[ws_route("/rooms/{room}")]
impl Chat {
    fn open(&self, ws: &mut Socket<Visitor>) {
        println!("{}", ws.data.place.number);
    }
}

fn main() {}
