use harpia::prelude::*;

macro_rules! guarded {
    () => {
        async fn auth(&self, first: String) -> HandlerResult {
            Err(first.into())
        }
    };
}

struct Chat;

#[ws_route("/chat")]
impl Chat {
    guarded!();

    fn message(&self) {}
}

fn main() {}
