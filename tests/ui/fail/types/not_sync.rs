use std::cell::Cell;

use harpia::prelude::*;

struct Chat {
    count: Cell<u32>,
}

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {
        self.count.set(1);
    }
}

fn main() {}
