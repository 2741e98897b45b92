//! Path parameters: by value, by reference, as text, in any place, and named like keywords.

use std::net::IpAddr;

use harpia::prelude::*;

struct Room;

#[ws_route("/{room_id}/{address}/{type}")]
impl Room {
    fn open(&self, room_id: u32, ws: &mut Socket, address: IpAddr) {
        ws.send(format!("{room_id} {address}"));
    }

    fn message(&self, address: &IpAddr, message: String, room_id: String, r#type: &str) {
        println!("{address} {message} {room_id} {type}", r#type = r#type);
    }

    fn close(&self, ws: &mut Socket, code: CloseCode, room_id: &u32, reason: &str) {
        println!("{} {code} {room_id} {reason}", ws.id());
    }

    fn error(&self, room_id: &str, error: &harpia::Error) {
        eprintln!("{room_id}: {error}");
    }
}

struct Other;

#[ws_route("/other/{room}")]
impl Other {
    fn message(&self, Json(number): Json<u32>, room: &str) {
        println!("{room} {number}");
    }
}

struct Ignores;

#[ws_route("/ignores/{room}")]
impl Ignores {
    fn message(&self, _: Message) {}

    fn close(&self, _code: CloseCode) {}
}

struct Sockets;

/// What is a `&mut Socket` is the socket, though a parameter has the name.
#[ws_route("/sockets/{socket}")]
impl Sockets {
    fn open(&self, socket: &mut Socket) {
        socket.send("hello");
    }

    fn close(&self, ws: &mut Socket, socket: u32) {
        println!("{} {socket}", ws.id());
    }
}

fn main() {
    let _ = App::new().ws(Room).ws(Other).ws(Ignores).ws(Sockets);
}
