use harpia::prelude::*;

struct Prices;

#[ws_route("/prices", max_topics = "500")]
impl Prices {
    fn message(&self) {}
}

fn main() {}
