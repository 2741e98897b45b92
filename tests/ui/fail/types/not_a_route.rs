use harpia::prelude::*;

struct Chat;

fn main() {
    let _ = App::new().ws(Chat);
}
