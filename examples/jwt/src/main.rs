//! JSON Web Tokens by first message, by cookie and by query, each on a route of its own.
//!
//! [`mod@routes`] is what to read; [`pages`] serves the page and issues its tokens. Open the page, get a
//! token that is valid for a while, and connect by each way; what one says, the others hear.
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default; `RUST_LOG=trace` shows what it does.

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

    // A new one each time: the tokens of the last run are void.
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
