use harpia::prelude::*;

struct User;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn connect(&self) -> HandlerResult<User> {
        Ok(User)
    }

    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }

    fn message(&self, ws: &mut Socket<User>) {
        ws.send("thanks");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
