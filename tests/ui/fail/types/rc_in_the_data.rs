use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    #[from(default)]
    names: std::rc::Rc<String>,
    cookies: Cookies,
}

struct Chat;

#[ws_route("/chat")]
impl Chat {
    async fn open(&self, ws: &mut Socket<ChatData>) {
        ws.send(format!("{} {:?}", ws.data.names, ws.data.cookies));
    }

    async fn message(&self, ws: &mut Socket<ChatData>, message: String) {
        ws.send(message);
    }

    fn close(&self, ws: &mut Socket<ChatData>) {
        println!("{}", ws.id());
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
