use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    #[cfg(debug_assertions)]
    fn auth(&self, first: String) -> HandlerResult {
        println!("{first}");
        Ok(())
    }

    fn message(&self) {}
}

fn main() {}
