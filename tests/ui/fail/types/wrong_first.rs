use harpia::prelude::*;

struct Chat;

struct Token(String);

#[ws_route("/chat")]
impl Chat {
    fn auth(&self, first: Token) -> HandlerResult {
        println!("{}", first.0);
        Ok(())
    }
}

fn main() {}
