use harpia::prelude::*;

struct Chat<T>(T);

#[ws_route("/chat")]
impl<T: Send + Sync + ToString + 'static> Chat<T> {
    fn message(&self, ws: &mut Socket) {
        ws.send(self.0.to_string());
    }

    async fn authenticate(&self, ws: &mut Socket, token: String) -> HandlerResult {
        ws.send(token);
        Ok(())
    }
}

fn main() {
    let _ = App::new().ws(Chat(1));
}
