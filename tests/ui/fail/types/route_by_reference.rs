use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

fn main() {
    let _ = App::new().ws(&Chat);
}
