use std::rc::Rc;

use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", data = Rc<str>)]
impl Chat {
    fn connect(&self) -> HandlerResult<Rc<str>> {
        Ok("data".into())
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
