mod news {
    use harpia::prelude::*;

    pub struct Live;

    #[ws_route("/live")]
    impl Live {
        fn message(&self) {}
    }
}

mod sports {
    use harpia::prelude::*;

    pub struct Live;

    #[ws_route("/live")]
    impl Live {
        fn message(&self) {}
    }
}

harpia::routes![news::Live, sports::Live];

fn main() {}
