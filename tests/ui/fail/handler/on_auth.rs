use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn on_auth(&self, first: String) -> HandlerResult {
        println!("{first}");
        Ok(())
    }

    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(Chat);
}
