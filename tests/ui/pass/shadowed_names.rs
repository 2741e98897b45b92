//! Generated code means std's and harpia's names, whatever the user's module calls so.

#![allow(dead_code, non_snake_case, unused_imports)]

mod shadows {
    pub struct Result;
    pub struct Option;
    pub struct String;
    pub struct Message;
    pub struct Broadcast;
    pub struct CloseCode;
    pub struct Error;
    pub struct Route;
    pub struct Cookies;
    pub trait Send {}
    pub trait Sync {}
    pub trait Future {}
    pub trait Clone {}
    pub trait Default {}
    pub fn Ok() {}
    pub fn Some() {}
    pub fn None() {}
    pub mod core {}
    pub mod std {}
}

mod route {
    use super::shadows::*;

    // These three go before those of the prelude, as the glob's do.
    macro_rules! panic { () => {}; }
    macro_rules! println { () => {}; }
    panic!();

    pub struct Chat;

    #[harpia::ws_route("/{room}", rate = "1/s", ping = off, origins = ["https://example.com"])]
    impl Chat {
        async fn open(&self, ws: &mut harpia::Socket<Data>, room: &str) {
            ws.send(room);
            println!();
        }
        fn message(&self, room: u8, message: harpia::Message) -> harpia::Broadcast {
            harpia::Broadcast::Replace(if room > 1 { message } else { harpia::Message::from("x") })
        }
        fn close(&self, code: harpia::CloseCode, reason: &str) {
            let _ = (code, reason);
        }
        fn error(&self, error: &harpia::Error) {
            let _ = error;
        }
    }

    #[derive(harpia::FromHandshake)]
    struct Data {
        #[from(path)]
        room: ::std::string::String,
        #[from(query)]
        page: ::core::option::Option<u32>,
        #[from(default)]
        seen: u32,
    }

    harpia::routes![pub fn all; Chat];
}

fn main() {
    let _ = route::all(route::Chat);
}
