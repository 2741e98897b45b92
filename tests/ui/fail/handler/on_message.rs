use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn on_message(&self, text: String) {
        println!("{text}");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
