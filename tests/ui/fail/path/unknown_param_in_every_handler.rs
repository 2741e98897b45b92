use harpia::prelude::*;

struct Chat;


#[ws_route("/games/{id}")]
impl Chat {
    fn open(&self, ws: &mut Socket, game: u32) {
        ws.send(format!("{game}"));
    }

    fn message(&self, game: u32, message: String) {
        println!("{game} {message}");
    }

    fn close(&self, game: u32, code: CloseCode, reason: &str) {
        println!("{game} {code} {reason}");
    }
}

fn main() {}
