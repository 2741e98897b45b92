use harpia::prelude::*;

struct Chat;


#[ws_route("/games/{id}")]
impl Chat {
    fn drain(&self, ws: &mut Socket, n: usize) {
        println!("{} {n}", ws.id());
    }
}

fn main() {}
