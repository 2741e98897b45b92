use harpia::prelude::*;

struct Claims {
    sub: String,
}

struct Feed {
    jwt: Jwt<Claims>,
}

#[ws_route("/feed")]
impl Feed {
    async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
        let claims = self.jwt.from_message(ws, &first)?;
        ws.send(claims.sub);
        Ok(())
    }
}

fn main() -> harpia::Result {
    let jwt = Jwt::hs256([7; 32])?;
    let _ = App::new().ws(Feed { jwt });
    Ok(())
}
