//! A public route with private data, in a module, and one in a function.

#![deny(warnings)]

pub mod chat {
    use harpia::prelude::*;

    #[derive(FromHandshake)]
    struct Private {
        #[from(query)]
        name: Option<String>,
    }

    #[derive(Clone)]
    struct Number(u32);

    impl std::str::FromStr for Number {
        type Err = std::num::ParseIntError;

        fn from_str(text: &str) -> Result<Self, Self::Err> {
            text.parse().map(Self)
        }
    }

    pub struct Chat {
        pub(crate) motd: &'static str,
    }

    #[ws_route("/{room}", data = Private)]
    impl Chat {
        fn open(&self, ws: &mut Socket<Private>, room: Number) {
            let name = ws.data.name.as_deref().unwrap_or("you");
            ws.send(format!("{name} in {}: {}", room.0, self.motd));
        }
    }
}

fn main() {
    use harpia::prelude::*;

    struct Local;

    #[ws_route("/local")]
    impl Local {
        fn message(&self) {}
    }

    let _ = App::new().ws(chat::Chat { motd: "hello" }).ws(Local);
}
