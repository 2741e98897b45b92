//! The errors that harpia reports, and the errors that close a connection with a code.
//!
//! A rejected handshake is not an error of the server: it is an `extract::Rejection`.

use std::{error, fmt, io};

use bytestring::ByteString;

use crate::close::{CloseCause, CloseCode};

/// Any error that a handler returns.
///
/// ```
/// use harpia::BoxError;
///
/// fn port(text: &str) -> Result<u16, BoxError> {
///     let port = text.parse::<u16>()?;                     // any error converts
///     if port == 0 { Err("port 0 is reserved".into()) } else { Ok(port) }
/// }
/// # assert!(port("0").is_err() && port("x").is_err());
/// ```
pub type BoxError = Box<dyn error::Error + Send + Sync>;

/// The result that most handlers return.
///
/// `?` converts any error, also those of anyhow.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Numbers;
///
/// #[ws_route("/numbers")]
/// impl Numbers {
///     fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
///         let number: u32 = message.parse()?;     // `Err` closes with 1011
///         ws.send(format!("{}", number + 1));
///         Ok(())
///     }
/// }
/// ```
pub type HandlerResult<T = ()> = std::result::Result<T, BoxError>;

/// The result of an operation of harpia.
///
/// ```no_run
/// use harpia::prelude::*;
///
/// async fn serve(app: App) -> harpia::Result {
///     app.listen("127.0.0.1:3000").await
/// }
/// ```
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// An error on a connection, or an error of building and running an app.
///
/// The first kind goes to the `error` handler of the route. (The errors of `close`, `drain` and
/// `error` itself are only logged.) [`App::listen`](crate::App::listen) and
/// [`App::bind`](crate::App::bind) return the second kind.
///
/// | format | prints |
/// |---|---|
/// | `{error}` | what happened |
/// | `{error:#}` | what happened and its causes, in one line |
/// | `{error:?}` | the same, since `main` prints an error like this |
/// | `{error:#?}` | what happened, and each cause on a line of its own |
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
        /// The handler: `open`, `message`, `close`, `drain` or `error`. (An error of `auth` is an
        /// [`Auth`](Self::Auth).)
        handler: &'static str,
        /// The error that it returned.
        source: BoxError,
    },
    /// A handler panicked. The connection is closed with 1011.
    Panic {
        /// The handler, or `drop` if dropping the connection's data panicked.
        handler: &'static str,
        /// The message of the panic, if it had one.
        message: String,
    },
    /// A handler closed the connection with [`Error::close`] or [`OrClose::or_close`].
    Close {
        /// The code to close with.
        code: CloseCode,
        /// The reason, which is sent to the client.
        reason: ByteString,
        /// The error, if `or_close` was called on a `Result`. It is never sent to the client.
        source: Option<BoxError>,
    },
    /// `auth` rejected the client. The connection is closed with 1008 "Invalid Token", with 1008
    /// "Auth Timeout" if `auth` took too long, or with 1013 if a session store is down.
    Auth {
        /// The reason. It is never sent to the client.
        source: BoxError,
    },
    /// A message could not be read as the type that the handler takes.
    Message {
        /// 1007 for an invalid value, 1003 for the wrong kind of message.
        code: CloseCode,
        /// The reason.
        source: BoxError,
    },
    /// A value could not be serialized as JSON. A handler that returns this closes with 1011.
    Serialize {
        /// The reason. It is never sent to the client.
        source: BoxError,
    },
    /// The peer broke the WebSocket protocol or a limit of the route.
    Protocol {
        /// The code that the connection is closed with.
        code: CloseCode,
        /// The rule that the peer broke.
        rule: &'static str,
    },
    /// Two routes answer the same paths.
    DuplicateRoute {
        /// The path of the route that was added first, with its prefix.
        first: String,
        /// The path of the other route, with its prefix.
        second: String,
    },
    /// A path, a prefix or a setting is invalid.
    Config {
        /// The mistake and its place.
        message: String,
    },
    /// The server could not listen on its address: the address is invalid or in use, or the program
    /// lacks the permission.
    Listen {
        /// The address, as the program passed it to [`App::listen`](crate::App::listen).
        address: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A part of the server panicked, so the server has shut down. Start it again.
    ///
    /// This is a bug in harpia, or in a [`Listener`](crate::listen::Listener) of the application. A
    /// panic in a handler does not lead to this error: it ends only its own connection.
    Crash {
        /// The part: `delivery` or `accept loop`.
        part: &'static str,
        /// The message of the panic, if it had one.
        message: String,
    },
    /// Another operation of the operating system failed, such as starting a thread.
    Io(io::Error),
}

impl Error {
    /// Makes an error that closes the connection with this code and reason.
    ///
    /// The reason is sent to the client. To close because of an `Option` or a `Result`,
    /// [`or_close`](OrClose::or_close) is shorter.
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

    /// Returns the code that a connection is closed with because of this error.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::Error;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn error(&self, ws: &mut Socket, error: &Error) {
    ///         if error.close_code() == CloseCode::INTERNAL {
    ///             eprintln!("connection {}: {error:#}", ws.id());
    ///         }
    ///     }
    /// }
    /// ```
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::Close { code, .. } | Self::Message { code, .. } | Self::Protocol { code, .. } => {
                *code
            }
            Self::Handler { source, .. } => {
                find(source.as_ref()).map_or(CloseCode::INTERNAL, Self::close_code)
            }
            Self::Auth { source } => match find(source.as_ref()).map(Self::close_code) {
                // A store that is down says nothing about the token: the client may try again.
                Some(CloseCode::TRY_AGAIN) => CloseCode::TRY_AGAIN,
                _ => CloseCode::POLICY,
            },
            _ => CloseCode::INTERNAL,
        }
    }

    /// Returns the reason for the client. It never has the text of an error, which may hold
    /// secrets.
    pub(crate) fn close_reason(&self) -> ByteString {
        match self {
            Self::Close { reason, .. } => reason.clone(),
            Self::Protocol { rule, .. } => ByteString::from_static(rule),
            Self::Message { code, .. } if *code == CloseCode::UNSUPPORTED => {
                ByteString::from_static("Unsupported Message Type")
            }
            Self::Message { .. } => ByteString::from_static("Invalid Message"),
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

    /// Returns the cause of a close because of this error.
    pub(crate) fn close_cause(&self) -> CloseCause {
        match self {
            Self::Panic { .. } => CloseCause::HandlerPanic,
            Self::Auth { .. } => CloseCause::AuthFailed,
            Self::Message { .. } => CloseCause::InvalidMessage,
            Self::Protocol { code, rule } => {
                CloseCause::of_frame(*code, rule).unwrap_or(CloseCause::Protocol)
            }
            _ => CloseCause::HandlerError,
        }
    }

    /// Makes the error for the `error` handler from a cause, if the handler is called for it.
    pub(crate) fn from_cause(cause: CloseCause) -> Option<Self> {
        let row = cause.row();
        let (code, rule) = row.frame.filter(|_| row.reaches_error)?;
        Some(Self::Protocol { code, rule })
    }

    /// Wraps an error in the name of the handler that returned it.
    ///
    /// An error that decides itself how the connection is closed is not wrapped.
    pub(crate) fn from_handler(handler: &'static str, source: BoxError) -> Self {
        match source.downcast::<Self>() {
            // This error does not say which value failed, so the handler's name is needed.
            Ok(own) if matches!(*own, Self::Serialize { .. }) => Self::Handler {
                handler,
                source: own,
            },
            Ok(own) => *own,
            Err(source) => Self::Handler { handler, source },
        }
    }
}

/// Finds harpia's error in a chain of causes, so that `or_close` keeps its code below other errors.
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

/// Prints what happened and its causes, since `main` prints an error with `Debug`.
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

    /// Prints what happened, without the causes.
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
            Self::Crash { part, message } => write!(f, "the {part} panicked: {message}"),
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

/// Closes the connection with a code and a reason if there is no value.
///
/// It is implemented for `Option` and `Result`. [`Error::close`] makes the error without either.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Rooms;
///
/// #[ws_route("/rooms")]
/// impl Rooms {
///     fn message(&self, ws: &mut Socket, message: String) -> HandlerResult {
///         let room = message.strip_prefix("join ").or_close(1003, "Unknown Command")?;
///         ws.subscribe(room);
///         Ok(())
///     }
/// }
/// ```
pub trait OrClose<T> {
    /// Returns the value, or an error that closes the connection with this code and reason.
    ///
    /// # Errors
    ///
    /// [`Error::Close`] if there is no value. The reason is sent to the client. The error of a
    /// `Result` is not: it becomes the source, for the `error` handler.
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
    fn a_close_code_is_found_below_other_errors() {
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
    fn an_error_made_with_close_keeps_its_code_and_reason_through_a_handler() {
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
    fn an_error_that_main_returns_prints_as_a_sentence() {
        let duplicate = Error::DuplicateRoute {
            first: "/chat".into(),
            second: "/chat".into(),
        };
        // The standard library prints `Error: ` and this.
        let printed = format!("{:?}", BoxError::from(duplicate));
        assert_eq!(printed, "routes `/chat` and `/chat` answer the same paths");
    }

    #[test]
    fn a_value_that_fails_to_serialize_closes_with_1011_and_names_the_handler() {
        let source = "password=hunter2".into();
        let error = Error::from_handler("open", Error::Serialize { source }.into());
        assert!(format!("{error:#}").starts_with("handler `open` failed: the value cannot be"));
        assert_eq!(error.close_code(), CloseCode::INTERNAL);
        assert_eq!(error.close_reason(), "");
    }

    #[test]
    fn the_text_of_a_foreign_error_is_not_sent_to_the_client() {
        let error = Error::from_handler("message", "password=hunter2".into());
        assert_eq!(error.close_code(), CloseCode::INTERNAL);
        assert_eq!(error.close_reason(), "");
    }
}
