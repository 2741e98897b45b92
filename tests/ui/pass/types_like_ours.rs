//! Types of the user's own that have the names of harpia's and of std's.

#![deny(warnings)]

mod mail {
    use std::{error, fmt};

    /// An error.
    #[derive(Debug)]
    pub struct Broadcast;

    impl fmt::Display for Broadcast {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("nobody is on the air")
        }
    }

    impl error::Error for Broadcast {}

    /// A message.
    pub struct Socket(pub harpia::Message);

    impl harpia::FromMessage for Socket {
        fn from_message(message: harpia::Message) -> harpia::Result<Self> {
            Ok(Self(message))
        }
    }

    /// A path parameter.
    #[derive(Clone)]
    pub struct String(pub usize);

    impl std::str::FromStr for String {
        type Err = std::convert::Infallible;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Ok(Self(text.len()))
        }
    }
}

use harpia::prelude::{App, HandlerResult, ws_route};
use mail::{Broadcast, Socket, String};

struct Silent;

#[ws_route("/silent", broadcast = off)]
impl Silent {
    fn message(&self) -> Result<(), Broadcast> {
        Err(Broadcast)
    }
}

struct Power;

#[ws_route("/power/{name}")]
impl Power {
    fn auth(&self, first: Socket) -> HandlerResult {
        println!("{:?}", first.0);
        Ok(())
    }

    fn open(&self, ws: &mut harpia::Socket, name: String) {
        ws.send(name.0.to_string());
    }

    fn message(&self, ws: &mut harpia::Socket, message: Socket) {
        ws.send(message.0);
    }

    fn close(&self, name: &String) {
        println!("{}", name.0);
    }
}

fn main() {
    let _ = App::new().ws(Silent).ws(Power);
}
