use harpia::prelude::*;

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

struct Feed {
    jwt: Jwt<Claims>,
}

#[ws_route("/feed")]
impl Feed {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult<Claims> {
        Ok(self.jwt.from_message(ws, &first)?)
    }

    fn open(&self, ws: &mut Socket) {
        ws.send("welcome");
    }
}

fn read(claims: Claims) -> String {
    claims.sub
}

fn main() {}
