use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn message(&self, message: String) {
        let shared = std::rc::Rc::new(message);
        std::future::ready(()).await;
        println!("{shared}");
    }
}

fn main() {}
