//! Types by other names: of the socket, of the data, of an argument, of a result.

use harpia::prelude::*;

#[derive(FromHandshake)]
struct Account {}

type Visitor = Account;
type Ws = Socket<Account>;
type Code = CloseCode;
type Reason = &'static str;
type Fault<'a> = &'a harpia::Error;
type Done = Result<(), std::io::Error>;

mod with_lifetime {
    pub(super) type Reason<'a> = &'a str;
}

struct Chat;

#[ws_route("/chat", data = Visitor)]
impl Chat {
    fn open(&self, ws: &mut Socket<Account>) -> Done {
        let greeting: Reason = "hello";
        ws.send(greeting);
        Ok(())
    }

    fn message(&self, ws: &mut Ws, message: String) -> HandlerResult<Broadcast> {
        ws.send(message);
        Ok(Broadcast::Skip)
    }

    fn close(&self, ws: &mut Socket<Visitor>, code: Code, reason: with_lifetime::Reason<'_>) {
        println!("{} {code} {reason}", ws.id());
    }

    fn error(&self, error: Fault<'_>) {
        println!("{error}");
    }
}

fn main() {
    let _ = App::new().ws(Chat);
}
