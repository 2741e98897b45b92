//! Everything that harpia itself reports to a user, and the way to fail with a close code.
//!
//! Handshake refusals are not errors of the server: they are `extract::Rejection`s.

use std::{error, fmt, io};

use bytestring::ByteString;

use crate::close::{CloseCause, CloseCode};

/// Any error a handler may fail with.
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// What most handlers return: `?` works on any error, anyhow's and your own.
pub type HandlerResult<T = ()> = std::result::Result<T, BoxError>;

/// The result of harpia's own operations.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// What harpia reports: to the `error` handler of a route, or from building and running an app.
///
/// `{error}` prints what happened, `{error:#}` its causes too, in one line. `{error:?}` prints the
/// same line as `{error:#}`, since that is what a `main` prints that returns the error, and
/// `{error:#?}` prints each cause on a line of its own.
///
/// ```
/// use harpia::Error;
///
/// let error = Error::invalid_message("a number is missing");
/// assert_eq!(format!("{error}"), "unreadable message (1007)");
/// assert_eq!(format!("{error:?}"), "unreadable message (1007): a number is missing");
/// ```
#[non_exhaustive]
pub enum Error {
    /// A handler returned `Err`.
    Handler {
        /// Which one: `open`, `message`, `close`, `drain` or `error`.
        handler: &'static str,
        /// What it returned.
        source: BoxError,
    },
    /// A handler panicked; the connection is closed with 1011.
    Panic {
        /// Which one, or `drop` for the connection's data.
        handler: &'static str,
        /// The panic's text, where it had one.
        message: String,
    },
    /// A handler asked to close, by [`Error::close`] or [`OrClose::or_close`].
    Close {
        /// The code to close with.
        code: CloseCode,
        /// The reason the client is told.
        reason: ByteString,
        /// What failed, when `or_close` was called on a `Result`. Never sent to the client.
        source: Option<BoxError>,
    },
    /// `auth` did not let the peer in; the connection is closed with 1008 "Invalid Token".
    Auth {
        /// Why. The client is never told.
        source: BoxError,
    },
    /// A message could not be read as the type the handler takes.
    Message {
        /// 1007 for text that is not the type, 1003 for the wrong kind of message.
        code: CloseCode,
        /// What was wrong with it.
        source: BoxError,
    },
    /// A value to send could not be serialized as JSON; a handler that returns this closes with
    /// 1011.
    Serialize {
        /// What was wrong with it. Never sent to the client.
        source: BoxError,
    },
    /// The peer broke the WebSocket protocol or a limit of the route.
    Protocol {
        /// The code the connection is closed with.
        code: CloseCode,
        /// The rule that was broken.
        rule: &'static str,
    },
    /// Two routes of one shape: a request for one would fit the other.
    DuplicateRoute {
        /// The pattern that was there first, with its prefix.
        first: String,
        /// The pattern that fits the same paths.
        second: String,
    },
    /// A path or prefix that is not of harpia's syntax, or a setting that cannot hold.
    Config {
        /// What is wrong, and where.
        message: String,
    },
    /// The server could not listen on its address: it is in use, needs other rights, or is not an
    /// address.
    Listen {
        /// The address as it was given to [`App::listen`](crate::App::listen).
        address: String,
        /// What the operating system answered.
        source: io::Error,
    },
    /// The operating system refused something else, such as a thread.
    Io(io::Error),
}

impl Error {
    /// Makes an error that closes the connection with this code and reason.
    ///
    /// For a handler that finds fault itself. Where a value is missing or something else has
    /// failed, [`or_close`](OrClose::or_close) is shorter. The reason is sent to the client.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::Error;
    ///
    /// fn check(token: &str) -> HandlerResult {
    ///     if token != "open sesame" {
    ///         return Err(Error::close(1008, "Unauthorized").into());
    ///     }
    ///     Ok(())
    /// }
    /// # assert!(check("open sesame").is_ok());
    /// # let error = check("please").unwrap_err();
    /// # assert_eq!(error.downcast::<Error>().unwrap().close_code(), 1008);
    /// ```
    pub fn close(code: impl Into<CloseCode>, reason: impl Into<ByteString>) -> Self {
        Self::Close {
            code: code.into(),
            reason: reason.into(),
            source: None,
        }
    }

    /// Returns the code that a connection is closed with for this error.
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::Close { code, .. } | Self::Message { code, .. } | Self::Protocol { code, .. } => {
                *code
            }
            Self::Handler { source, .. } => {
                find(source.as_ref()).map_or(CloseCode::INTERNAL, Self::close_code)
            }
            Self::Auth { source } => match find(source.as_ref()).map(Self::close_code) {
                // That a store is down is not the token's fault: the peer may try again.
                Some(CloseCode::TRY_AGAIN) => CloseCode::TRY_AGAIN,
                _ => CloseCode::POLICY,
            },
            _ => CloseCode::INTERNAL,
        }
    }

    /// The reason that the client may be told: never an error's text, which may hold secrets.
    pub(crate) fn close_reason(&self) -> ByteString {
        match self {
            Self::Close { reason, .. } => reason.clone(),
            Self::Protocol { rule, .. } => ByteString::from_static(rule),
            Self::Message { code, .. } if *code == CloseCode::UNSUPPORTED => {
                ByteString::from_static("unsupported message type")
            }
            Self::Message { .. } => ByteString::from_static("invalid message"),
            Self::Handler { source, .. } => {
                find(source.as_ref()).map_or_else(ByteString::new, Self::close_reason)
            }
            Self::Auth { source } => match find(source.as_ref()) {
                Some(down) if down.close_code() == CloseCode::TRY_AGAIN => down.close_reason(),
                _ => ByteString::from_static("Invalid Token"),
            },
            _ => ByteString::new(),
        }
    }

    /// Why a connection ended that is closed for this error.
    pub(crate) fn close_cause(&self) -> CloseCause {
        match self {
            Self::Panic { .. } => CloseCause::HandlerPanic,
            Self::Auth { .. } => CloseCause::AuthFailed,
            Self::Message { .. } => CloseCause::InvalidMessage,
            Self::Protocol { code, .. } => match *code {
                CloseCode::POLICY => CloseCause::RateLimit,
                CloseCode::TOO_BIG => CloseCause::TooBig,
                CloseCode::TRY_AGAIN => CloseCause::Overload,
                _ => CloseCause::Protocol,
            },
            _ => CloseCause::HandlerError,
        }
    }

    /// What `error` is told where a connection ends for a cause that no error was made for yet.
    pub(crate) fn from_cause(cause: CloseCause) -> Option<Self> {
        let row = cause.row();
        let (code, rule) = row.frame.filter(|_| row.reaches_error)?;
        Some(Self::Protocol { code, rule })
    }

    /// Names the handler that an error came from, unless the error itself decides how the
    /// connection is closed.
    pub(crate) fn from_handler(handler: &'static str, source: BoxError) -> Self {
        match source.downcast::<Self>() {
            // The place is what one looks for: the error names only what was wrong.
            Ok(own) if matches!(*own, Self::Serialize { .. }) => Self::Handler {
                handler,
                source: own,
            },
            Ok(own) => *own,
            Err(source) => Self::Handler { handler, source },
        }
    }
}

/// Finds harpia's own error in a chain, so that context around `or_close` keeps its code.
fn find<'a>(error: &'a (dyn error::Error + 'static)) -> Option<&'a Error> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_own(f)?;
        if f.alternate() {
            for cause in self.causes() {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

/// Not derived: this is how a `main` reports an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = if f.alternate() {
            "\n    caused by: "
        } else {
            ": "
        };
        self.fmt_own(f)?;
        for cause in self.causes() {
            write!(f, "{link}{cause}")?;
        }
        Ok(())
    }
}

impl Error {
    fn causes(&self) -> impl Iterator<Item = &(dyn error::Error + 'static)> {
        std::iter::successors(error::Error::source(self), |error| error.source())
    }

    /// This level alone; causes are `source`'s.
    fn fmt_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handler { handler, .. } => write!(f, "handler `{handler}` failed"),
            Self::Panic { handler, message } => {
                write!(f, "handler `{handler}` panicked: {message}")
            }
            Self::Close { code, reason, .. } => write!(f, "closed by the handler: {code} {reason}"),
            Self::Auth { .. } => f.write_str("not authenticated"),
            Self::Message { code, .. } => write!(f, "unreadable message ({code})"),
            Self::Serialize { .. } => f.write_str("the value cannot be serialized as JSON"),
            Self::Protocol { code, rule } => match *code {
                CloseCode::POLICY | CloseCode::TOO_BIG | CloseCode::TRY_AGAIN => {
                    write!(f, "limit exceeded ({code}): {rule}")
                }
                _ => write!(f, "protocol violation ({code}): {rule}"),
            },
            Self::DuplicateRoute { first, second } => {
                write!(f, "routes `{first}` and `{second}` answer the same paths")
            }
            Self::Config { message } => f.write_str(message),
            Self::Listen { address, .. } => write!(f, "could not listen on {address}"),
            Self::Io(_) => f.write_str("input or output failed"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Handler { source, .. }
            | Self::Auth { source }
            | Self::Message { source, .. }
            | Self::Serialize { source } => Some(source.as_ref()),
            Self::Close { source, .. } => source.as_deref().map(|source| source as _),
            Self::Listen { source, .. } | Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

/// Turns a missing value or an error into a close with a code and a reason.
///
/// Where neither is at hand, [`Error::close`] makes the error itself.
pub trait OrClose<T> {
    /// Returns the value, or an error that closes the connection with this code and reason.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] where there is no value. The reason is sent to the client, an underlying
    /// error is not: it reaches only the `error` handler.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn user(cookies: &Cookies) -> HandlerResult<u64> {
    ///     let id = cookies.get("user").or_close(1008, "Unauthorized")?;
    ///     Ok(id.parse::<u64>().or_close(1008, "Unauthorized")?)
    /// }
    /// ```
    fn or_close(self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) -> Result<T>;
}

impl<T> OrClose<T> for Option<T> {
    fn or_close(self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) -> Result<T> {
        self.ok_or_else(|| Error::close(code, reason))
    }
}

impl<T, E: Into<BoxError>> OrClose<T> for std::result::Result<T, E> {
    fn or_close(self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) -> Result<T> {
        self.map_err(|source| Error::Close {
            code: code.into(),
            reason: reason.into(),
            source: Some(source.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_below_the_context_around_it() {
        #[derive(Debug)]
        struct Context(Error);
        impl fmt::Display for Context {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("loading the user")
            }
        }
        impl error::Error for Context {
            fn source(&self) -> Option<&(dyn error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let inner = None::<()>.or_close(4001, "gone").unwrap_err();
        let outer = Error::from_handler("open", Box::new(Context(inner)));
        assert_eq!(outer.close_code(), 4001);
        assert_eq!(outer.close_reason(), "gone");
    }

    #[test]
    fn an_error_made_to_close_keeps_code_and_reason_through_a_handler() {
        let boxed = BoxError::from(Error::close(1008, "Unauthorized"));
        let error = Error::from_handler("message", boxed);
        assert!(matches!(&error, Error::Close { source: None, .. }));
        assert_eq!(error.close_code(), CloseCode::POLICY);
        assert_eq!(error.close_reason(), "Unauthorized");
    }

    #[test]
    fn the_alternate_form_and_debug_print_the_causes() {
        let error = Error::from_handler("open", "no such user".into());
        assert_eq!(error.to_string(), "handler `open` failed");
        let line = "handler `open` failed: no such user";
        assert_eq!(format!("{error:#}"), line);
        assert_eq!(format!("{error:?}"), line);
        let lines = "handler `open` failed\n    caused by: no such user";
        assert_eq!(format!("{error:#?}"), lines);
    }

    #[test]
    fn a_main_that_fails_prints_what_to_change() {
        let duplicate = Error::DuplicateRoute {
            first: "/chat".into(),
            second: "/chat".into(),
        };
        // What the standard library prints is `Error: ` and this.
        let printed = format!("{:?}", BoxError::from(duplicate));
        assert_eq!(printed, "routes `/chat` and `/chat` answer the same paths");
    }

    #[test]
    fn a_value_that_does_not_serialize_closes_with_1011_and_names_the_handler() {
        let source = "password=hunter2".into();
        let error = Error::from_handler("open", Error::Serialize { source }.into());
        assert!(format!("{error:#}").starts_with("handler `open` failed: the value cannot be"));
        assert_eq!(error.close_code(), CloseCode::INTERNAL);
        assert_eq!(error.close_reason(), "");
    }

    #[test]
    fn the_text_of_a_foreign_error_is_not_told_to_the_client() {
        let error = Error::from_handler("message", "password=hunter2".into());
        assert_eq!(error.close_code(), CloseCode::INTERNAL);
        assert_eq!(error.close_reason(), "");
    }
}
