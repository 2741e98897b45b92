use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl<T> Chat
where
    T: Send,
{
    fn open(&self) {}

    async fn message(&self, message: String) {
        drop(message);
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
