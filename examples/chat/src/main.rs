//! A chat with rooms: open the page in two windows and talk.
//!
//! [`chat`] is the WebSocket route, [`rooms`] keeps the people of each room, and [`page`] serves
//! the page. The page's files are compiled into the program, which needs no other service.
//!
//! The environment says where the program listens:
//!
//! | variable | meaning |
//! |---|---|
//! | `PORT` | a port of 127.0.0.1; 3000 by default |
//! | `LISTEN` | an address such as `0.0.0.0:443`, or a Unix socket such as `unix:/run/chat.sock` |
//! | `LISTEN_FDS` | set by systemd, which then passes the socket itself |
//! | `TLS_CERT`, `TLS_KEY` | PEM files, to serve TLS (feature `tls`) |

mod chat;
mod page;
mod rooms;

use std::env;

use harpia::prelude::*;
use listenfd::ListenFd;

use chat::Chat;

#[tokio::main]
async fn main() -> HandlerResult {
    let app = App::new().ws(Chat::default()).fallback(page::router());
    let (app, scheme) = match (env::var("TLS_CERT"), env::var("TLS_KEY")) {
        (Ok(certificate), Ok(key)) => (with_tls(app, &certificate, &key)?, "https"),
        _ => (app, "http"),
    };
    if let Some(listener) = ListenFd::from_env().take_tcp_listener(0)? {
        println!("open {scheme}://{} in two windows", listener.local_addr()?);
        app.listen(listener).await?;
    } else {
        let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
        let address = env::var("LISTEN").unwrap_or_else(|_| format!("127.0.0.1:{port}"));
        println!("open {scheme}://{address} in two windows");
        app.listen(address).await?;
    }
    Ok(())
}

#[cfg(feature = "tls")]
fn with_tls(app: App, certificate: &str, key: &str) -> HandlerResult<App> {
    Ok(app.tls(harpia::Tls::files(certificate, key)?))
}

#[cfg(not(feature = "tls"))]
fn with_tls(_: App, _: &str, _: &str) -> HandlerResult<App> {
    Err("for TLS, build this program with `--features tls`".into())
}
