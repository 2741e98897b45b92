use harpia::prelude::*;

struct Chat;

#[ws_route("/chat")]
impl Chat {
    #[cfg_attr(debug_assertions, cfg(unix))]
    fn auth(&self, first: String) -> HandlerResult {
        println!("{first}");
        Ok(())
    }

    fn message(&self) {}
}

fn main() {}
