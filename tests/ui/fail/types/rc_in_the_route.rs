use std::rc::Rc;

use harpia::prelude::*;

struct Chat {
    motd: Rc<str>,
}

#[ws_route("/chat")]
impl Chat {
    fn open(&self, ws: &mut Socket) {
        ws.send(&*self.motd);
    }

    async fn message(&self, message: String) {
        println!("{message}");
    }
}

fn main() {
    let motd = Rc::from("hello");
    let _ = App::new().ws(Chat { motd });
}
