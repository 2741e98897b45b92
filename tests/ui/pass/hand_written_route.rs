//! The macro writes nothing that a user could not.

use harpia::extract::{Handshake, PathValues, Rejection};
use harpia::prelude::*;
use harpia::route::Inline;
use harpia::{BoxError, Options, Route, Scope};

struct Room;

impl Route for Room {
    const PATH: &'static str = "/rooms/{room}";
    const OPTIONS: Options = Options::new().broadcast(Scope::Route).max_message(1024);
    const INLINE: Inline = Inline::NONE.close(true);
    type Data = Cookies;
    type Parameters = u32;

    fn parameters(path: &PathValues) -> Result<u32, Rejection> {
        path.parse("room")
    }

    async fn connect(&self, handshake: &Handshake, _: &u32) -> Result<Cookies, BoxError> {
        Ok(Cookies::from_handshake(handshake).await?)
    }

    async fn open(&self, socket: &mut Socket<Cookies>, room: &u32) -> Result<(), BoxError> {
        socket.subscribe(format!("room-{room}"));
        Ok(())
    }

    async fn message(
        &self,
        socket: &mut Socket<Cookies>,
        room: &u32,
        message: Message,
    ) -> Result<Broadcast, BoxError> {
        socket.publish(format!("room-{room}"), message);
        Ok(Broadcast::Skip)
    }

    async fn close(
        &self,
        _: &mut Socket<Cookies>,
        _: &u32,
        code: CloseCode,
        _: &str,
    ) -> Result<(), BoxError> {
        println!("{code}");
        Ok(())
    }
}

routes![Room];

fn main() {
    let _ = App::new().nest("/api", routes(Room));
}
