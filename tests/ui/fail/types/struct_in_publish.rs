use harpia::prelude::*;

#[derive(serde::Serialize)]
struct Price {
    euros: f64,
}

fn main() {
    let hub = App::new().handle();
    hub.publish("prices", &Price { euros: 1.5 });
}
