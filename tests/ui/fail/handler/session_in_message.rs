use harpia::prelude::*;

struct Notes {
    sessions: Session<String>,
    jwt: Jwt<Claims>,
}

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

#[ws_route("/notes")]
impl Notes {
    async fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
        let owner = self.sessions.from_ws(ws).await?;
        println!("{owner}: {message}");
        Ok(())
    }

    fn close(&self, socket: &mut Socket) -> HandlerResult {
        if let Ok(claims) = self.jwt.from_bearer(&mut *socket) {
            println!("{} left", claims.sub);
        }
        Ok(())
    }
}

fn main() {}
