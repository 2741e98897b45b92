//! Every handler, each with all of its arguments, sync and async mixed.

use harpia::prelude::*;

#[derive(FromHandshake)]
struct ChatData {
    cookies: Cookies,
    url: Url,
    address: RemoteAddr,
    #[from(query)]
    room: Option<String>,
    #[from(header = "user-agent")]
    agent: Option<String>,
    #[from(extension)]
    layer: Option<u32>,
    #[from(default)]
    user_id: Option<u64>,
}

struct Chat;

#[ws_route("/chat", data = ChatData)]
impl Chat {
    async fn connect(&self, request: &Handshake) -> HandlerResult<ChatData> {
        println!("{} asks for {}", request.remote_addr(), request.uri().path());
        Ok(ChatData::from_handshake(request).await?)
    }

    async fn auth(&self, ws: &mut Socket<ChatData>, first: String) -> HandlerResult {
        println!("{} sent {first:?} first", ws.id());
        Ok(())
    }

    async fn open(&self, ws: &mut Socket<ChatData>) -> HandlerResult {
        let id = ws.data.cookies.get("session_id").or_close(1008, "Unauthorized")?;
        ws.data.user_id = Some(id.parse()?);
        ws.send("welcome");
        Ok(())
    }

    async fn message(&self, ws: &mut Socket<ChatData>, message: Message) {
        let data = &ws.data;
        println!("{:?} {:?} {:?} {message:?}", data.user_id, data.room, data.agent);
        println!("{} {} {:?}", data.url.path(), data.address, data.layer);
    }

    async fn close(&self, ws: &mut Socket<ChatData>, code: CloseCode, reason: &str) {
        println!("{:?} left: {code} {reason}", ws.data.user_id);
    }

    fn drain(&self, ws: &mut Socket<ChatData>) {
        println!("{} can be sent to again", ws.id());
    }

    fn error(&self, error: &harpia::Error) {
        eprintln!("{error}");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
