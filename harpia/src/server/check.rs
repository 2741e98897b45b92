//! Checks of the settings, made before the address is bound.
//!
//! The macro checks an attribute at compile time. These checks are for settings that are known only
//! at run time: the app's builder methods, and the options of hand-written routes.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::limits::{LONG_PAUSE, Limits};
use crate::options::{Options, Origins};
use crate::path::Pattern;
use crate::protocol::header::is_token;
use crate::protocol::origin::is_origin;

/// Checks the app's defaults of the route options.
pub(super) fn app<S: AsRef<str>>(options: &Options, origins: &Origins, protocols: &[S]) -> Result {
    check(options, origins, protocols).map_err(|message| Error::Config { message })
}

/// Checks the options that a route sets itself.
pub(super) fn route(pattern: &Pattern, options: &Options) -> Result {
    let origins = options.origins.as_ref().unwrap_or(&Origins::Same);
    let protocols = options.protocols.unwrap_or_default();
    check(options, origins, protocols).map_err(|message| Error::Config {
        message: format!("route `{}`: {message}", pattern.as_str()),
    })
}

/// Logs a warning if one message of the largest size stops its sender for long.
pub(super) fn pauses(pattern: &Pattern, limits: &Limits) {
    if let Some((rate, pause)) = limits.longest_pause()
        && pause >= LONG_PAUSE
    {
        tracing::warn!(
            "route `{}`: `{rate}` stops a client for {pause:?} after a message of `max_message` \
             bytes; raise `{rate}`, lower `max_message`, or switch `{rate}` off",
            pattern.as_str()
        );
    }
}

fn check<S: AsRef<str>>(
    options: &Options,
    origins: &Origins,
    protocols: &[S],
) -> Result<(), String> {
    not_zero("idle_timeout", options.idle_timeout)?;
    not_zero("ping", options.ping)?;
    not_zero("write_timeout", options.write_timeout)?;
    not_zero("message_timeout", options.message_timeout)?;
    not_zero("handler_timeout", options.handler_timeout)?;
    for (name, rate) in [
        ("byte_rate", options.byte_rate),
        ("publish_rate", options.publish_rate),
    ] {
        if rate == Some(Some(0)) {
            return Err(format!(
                "`{name}` cannot be zero: set a number of bytes per second, or `None` to disable \
                 it"
            ));
        }
    }
    if let Some(wrong) = origins.list().find(|text| !is_origin(text)) {
        return Err(format!(
            "`origins` has {wrong:?}, which is not an origin: an origin is a scheme, a host and an \
             optional port, as in \"https://example.com\""
        ));
    }
    for (at, name) in protocols.iter().map(AsRef::as_ref).enumerate() {
        if !is_token(name) {
            return Err(format!(
                "`protocols` has {name:?}, which is not a subprotocol name: a name consists of \
                 letters, digits and `.-_`, as in \"chat.v1\""
            ));
        }
        if protocols[..at].iter().any(|known| known.as_ref() == name) {
            return Err(format!("`protocols` has {name:?} twice: remove one"));
        }
    }
    Ok(())
}

fn not_zero(name: &str, time: Option<Option<Duration>>) -> Result<(), String> {
    match time {
        Some(Some(Duration::ZERO)) => Err(format!(
            "`{name}` cannot be zero: set a time such as `Duration::from_secs(30)`, or `None` to \
             disable it"
        )),
        _ => Ok(()),
    }
}
