//! JSON Web Tokens in the first message, in a cookie and in the query, one route for each.
//!
//! [`mod@routes`] has the WebSocket routes: read it first. [`pages`] serves the page and issues
//! tokens. Open the page, get a token, and connect in all three ways. Each connection receives
//! what the others send.
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default. Set `RUST_LOG=trace` to see all events.

mod pages;
mod routes;

use std::env;

use harpia::prelude::*;
use jsonwebtoken::EncodingKey;

use routes::{ByCookie, ByMessage, ByQuery};

#[tokio::main]
async fn main() -> HandlerResult {
    tracing_subscriber::fmt::init();
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    println!("open http://{address}");

    // A new secret at each start, which invalidates the tokens of the previous run.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let jwt = Jwt::hs256(secret)?;
    App::new()
        .ws(ByMessage(jwt.clone()))
        .ws(ByCookie(jwt.clone()))
        .ws(ByQuery(jwt))
        .fallback(pages::router(EncodingKey::from_secret(&secret)))
        .listen(address)
        .await?;
    Ok(())
}
