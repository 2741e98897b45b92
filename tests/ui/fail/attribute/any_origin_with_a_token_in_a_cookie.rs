use harpia::prelude::*;

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

struct Feed {
    jwt: Jwt<Claims>,
}

#[ws_route("/feed", origins = any)]
impl Feed {
    fn open(&self, ws: &mut Socket) -> HandlerResult {
        self.welcome(ws)
    }

    fn welcome(&self, ws: &mut Socket) -> HandlerResult {
        let claims = (|| self.jwt.from_cookie(ws, "token"))()?;
        ws.send(claims.sub);
        Ok(())
    }
}

fn main() {}
