use harpia::prelude::*;

struct Chat;

#[ws_route("/{id}/to/{id}")]
impl Chat {
    fn message(&self) {}
}

fn main() {}
