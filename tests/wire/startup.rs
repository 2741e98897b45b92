//! How a server starts: what it logs, and what it reports if it cannot listen.

use std::error::Error as _;
use std::io::ErrorKind;
use std::net::SocketAddr;

use harpia::prelude::*;
use harpia::{Error, Server};

struct Chat;

#[ws_route("/chat")]
impl Chat {
    fn message(&self) {}
}

fn error_of(bound: harpia::Result<Server>) -> Error {
    match bound {
        Err(error) => error,
        Ok(server) => panic!("it listens on {}", server.local_addr()),
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_in_the_error() {
    let app = || App::new().ws(Chat);
    let first = app().bind("127.0.0.1:0").await.unwrap();
    let address = first.local_addr();
    for error in [
        error_of(app().bind(address).await),
        error_of(app().bind(address.to_string()).await),
        app().listen(&*address.to_string()).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), format!("could not listen on {address}"));
        let printed = format!("{error:?}");
        let expected = format!("could not listen on {address}: Address already in use");
        assert!(printed.starts_with(&expected), "{printed}");
        let source = error.source().and_then(|source| source.downcast_ref());
        let kind = source.map(std::io::Error::kind);
        assert_eq!(kind, Some(ErrorKind::AddrInUse));
    }
}

#[tokio::test]
async fn what_is_no_address_is_named_in_the_error() {
    let error = error_of(App::new().ws(Chat).bind("127.0.0.1").await);
    let printed = format!("{error:?}");
    assert!(
        printed.starts_with("could not listen on 127.0.0.1: "),
        "{printed}"
    );
    let none: &[SocketAddr] = &[];
    let error = error_of(App::new().ws(Chat).bind(none).await);
    assert!(matches!(error, Error::Listen { .. }), "{error}");
}
