use harpia::prelude::*;

struct Chat {
    names: std::cell::RefCell<Vec<String>>,
}

#[ws_route("/chat")]
impl Chat {
    fn open(&self) {
        self.names.borrow_mut().push("new".to_owned());
    }

    async fn message(&self, message: String) {
        self.names.borrow_mut().push(message);
    }
}

fn main() {
    let names = Default::default();
    let _ = App::new().ws(Chat { names });
}
