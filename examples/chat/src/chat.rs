//! The chat route: what the page sends and what it receives.

use std::str::FromStr;

use harpia::prelude::*;
use serde::{Deserialize, Serialize};

use crate::rooms::Rooms;

/// The route's state, shared by all connections.
#[derive(Default)]
pub(crate) struct Chat {
    rooms: Rooms,
}

/// The data of one connection, read from a URL such as `/rooms/lobby?name=Ada`.
#[derive(FromHandshake)]
struct Visitor {
    #[from(query)]
    name: Name,
}

/// A message from the page.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request {
    Say { text: String },
}

/// A message to the page.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Event<'a> {
    Welcome { people: Vec<String> },
    Joined { name: &'a str },
    Left { name: &'a str },
    Said { name: &'a str, text: &'a str },
}

#[ws_route(
    "/rooms/{room}",
    broadcast = off,
    max_message = "4KiB",
    rate = "20/5s"
)]
impl Chat {
    fn open(&self, ws: &mut Socket<Visitor>, room: &str) -> HandlerResult {
        let name = &ws.data.name.0;
        self.rooms.enter(room, ws.id(), name, |people| {
            ws.subscribe(room);
            ws.send_json(&Event::Welcome { people })?;
            let joined = Message::json(&Event::Joined { name })?;
            ws.hub().publish_except(room, joined, ws.id());
            Ok(())
        })
    }

    fn message(
        &self,
        ws: &mut Socket<Visitor>,
        Json(request): Json<Request>,
        room: &str,
    ) -> HandlerResult {
        let Request::Say { text } = request;
        let name = &ws.data.name.0;
        let said = Event::Said { name, text: &text };
        ws.publish_json(room, &said)?;
        Ok(())
    }

    fn close(&self, ws: &mut Socket<Visitor>, room: &str) -> HandlerResult {
        let name = &ws.data.name.0;
        self.rooms.leave(room, ws.id(), || {
            ws.hub().publish_json(room, &Event::Left { name })?;
            Ok(())
        })
    }
}

/// A name of 1 to 24 characters. Any other name gets a 400 instead of the upgrade.
struct Name(String);

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let is_short = (1..=24).contains(&name.chars().count());
        if !is_short || name.chars().any(char::is_control) {
            return Err("a name has 1 to 24 characters");
        }
        Ok(Self(name.to_owned()))
    }
}
