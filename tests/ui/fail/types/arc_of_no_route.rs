use std::sync::Arc;

use harpia::prelude::*;

struct Chat;

fn main() {
    let chat = Arc::new(Chat);
    let _ = App::new().ws(Arc::clone(&chat));
}
