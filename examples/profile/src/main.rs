//! A profile behind a login: log in by form, and the page's socket knows who it belongs to.
//!
//! [`pages`] answers the forms and keeps the session's cookie, [`updates`] is the WebSocket route
//! that reads it, [`users`] stands for a database. Log in as `john@example.com` with the password
//! `correct horse`, open the page in a second window, and change the name in one of them.
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default; `RUST_LOG=trace` shows what it does.

mod pages;
mod updates;
mod users;

use std::env;

use harpia::prelude::*;

use pages::Pages;
use updates::{Profile, ProfileUpdates};
use users::Users;

#[tokio::main]
async fn main() -> HandlerResult {
    tracing_subscriber::fmt::init();
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let address = format!("127.0.0.1:{port}");
    println!("open http://{address}");

    let sessions = Session::<Profile>::memory();
    let updates = ProfileUpdates {
        sessions: sessions.clone(),
    };
    let app = App::new().ws(updates);
    let pages = Pages {
        sessions,
        users: Users::demo()?,
        hub: app.handle(),
    };
    app.fallback(pages.into_router()).listen(address).await?;
    Ok(())
}
