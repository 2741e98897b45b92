use harpia::prelude::*;

struct User;

struct Chat;

#[ws_route("/chat", data = User)]
impl Chat {
    fn connect(&self, request: &Handshake) -> HandlerResult<String> {
        Ok(request.uri().path().to_owned())
    }

    fn open(&self, ws: &mut Socket<User>) {
        ws.send("welcome");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
