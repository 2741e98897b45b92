use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn on_connect(&self, request: &Handshake) -> HandlerResult {
        request.cookies().get("user").or_reject(401, "log in first")?;
        Ok(())
    }

    fn open(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
