use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn open(&self) {}

    async fn mesage(&self, message: String) {
        println!("{message}");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
