//! A profile page with a login: the WebSocket route reads the session that the login form created.
//!
//! [`pages`] handles the forms and sets the session cookie, [`updates`] is the WebSocket route that
//! reads it, and [`users`] is a stand-in for a database. Log in as `john@example.com` with the
//! password `correct horse`, open the page in a second window, and change the name in one of them.
//!
//! Listens on 127.0.0.1 and `$PORT`, 3000 by default. Set `RUST_LOG=trace` to see all events.

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
