//! What handlers may return.

use std::fmt;

use harpia::prelude::*;

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

struct Boxed;

#[ws_route("/boxed")]
impl Boxed {
    fn open(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("no")?
    }

    async fn message(&self) -> HandlerResult<Broadcast> {
        Ok(Broadcast::Skip)
    }

    fn close(&self) -> Result<(), String> {
        Err("closed".into())
    }
}

struct Own;

#[ws_route("/own")]
impl Own {
    async fn open(&self, ws: &mut Socket) {
        return ws.close(1008, "Unauthorized");
    }

    fn message(&self, message: Result<Json<u32>, harpia::Error>) -> Result<Broadcast, Refused> {
        match message {
            Ok(Json(number)) => Ok(Broadcast::Replace(number.to_string().into())),
            Err(_) => Err(Refused),
        }
    }

    fn drain(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

struct Silent;

#[ws_route("/silent", broadcast = off)]
impl Silent {
    fn message(&self) -> Result<(), Refused> {
        Ok(())
    }
}

fn main() {
    let _ = App::new().ws(Boxed).ws(Own).ws(Silent);
}
