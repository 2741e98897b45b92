//! What settings must be, said before anything is bound.
//!
//! The macro says the same of an attribute as it compiles. This is for what only a running program
//! knows: the app's builder methods, and the options of routes written by hand.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::{Options, Origins};
use crate::path::Pattern;
use crate::protocol::header::is_token;
use crate::protocol::origin::is_origin;

/// Checks what the app says for all routes.
pub(super) fn app<S: AsRef<str>>(options: &Options, origins: &Origins, protocols: &[S]) -> Result {
    check(options, origins, protocols).map_err(|message| Error::Config { message })
}

/// Checks what a route says for itself.
pub(super) fn route(pattern: &Pattern, options: &Options) -> Result {
    let origins = options.origins.as_ref().unwrap_or(&Origins::Same);
    let protocols = options.protocols.unwrap_or_default();
    check(options, origins, protocols).map_err(|message| Error::Config {
        message: format!("route `{}`: {message}", pattern.as_str()),
    })
}

fn check<S: AsRef<str>>(
    options: &Options,
    origins: &Origins,
    protocols: &[S],
) -> Result<(), String> {
    not_zero("idle_timeout", options.idle_timeout)?;
    not_zero("ping", options.ping)?;
    if let Some(wrong) = origins.list().find(|text| !is_origin(text)) {
        return Err(format!(
            "`origins` names {wrong:?}, which is not an origin: an origin is scheme, host and \
             maybe a port, as in \"https://example.com\""
        ));
    }
    for (at, name) in protocols.iter().map(AsRef::as_ref).enumerate() {
        if !is_token(name) {
            return Err(format!(
                "`protocols` names {name:?}, which is not a subprotocol's name: a name has \
                 letters, digits and `.-_`, as in \"chat.v1\""
            ));
        }
        if protocols[..at].iter().any(|known| known.as_ref() == name) {
            return Err(format!("`protocols` names {name:?} twice: remove one"));
        }
    }
    Ok(())
}

fn not_zero(name: &str, time: Option<Option<Duration>>) -> Result<(), String> {
    match time {
        Some(Some(Duration::ZERO)) => Err(format!(
            "`{name}` cannot be zero: give a time, as `Duration::from_secs(30)`, or `None` to do \
             without"
        )),
        _ => Ok(()),
    }
}
