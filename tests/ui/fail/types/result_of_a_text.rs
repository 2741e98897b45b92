use harpia::prelude::*;

struct Chat;


#[ws_route("/chat")]
impl Chat {
    fn close(&self) -> Result<String, std::io::Error> {
        Ok(String::new())
    }
}

fn main() {}
