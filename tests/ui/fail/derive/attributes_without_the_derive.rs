use harpia::prelude::*;

struct Player {
    #[from(query)]
    name: String,
    #[from(path)]
    game: u32,
}

struct Games;

#[ws_route("/games/{game}", data = Player)]
impl Games {
    fn open(&self, ws: &mut Socket<Player>) {
        ws.send(format!("{} {}", ws.data.name, ws.data.game));
    }

    fn message(&self, ws: &mut Socket<Player>, message: String) {
        ws.send(message);
    }
}

fn main() {
    let _ = App::new().ws(Games);
}
