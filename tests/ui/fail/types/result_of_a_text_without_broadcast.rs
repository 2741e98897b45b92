use harpia::prelude::*;

struct Chat;

#[ws_route("/chat", broadcast = off)]
impl Chat {
    fn message(&self) -> Result<String, std::io::Error> {
        Ok(String::new())
    }
}

fn main() {}
