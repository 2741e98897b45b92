//! What can go wrong with a session, and what a connection is closed with for it.
//!
//! No text here holds an id, a cookie or anything of a session's data.

use std::{error, fmt};

use bytestring::ByteString;
use http::StatusCode;

use crate::close::CloseCode;
use crate::error::{BoxError, Error};
use crate::json::JsonError;

/// What an operation on a session fails with.
///
/// With `?` in a handler it closes the connection: 1008 "Unauthorized" where there is no session,
/// 1013 "Try Again Later" where the store cannot answer, 1011 where the program is at fault.
///
/// ```
/// use harpia::Session;
/// use harpia::session::SessionError;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), SessionError> {
/// let sessions = Session::<String>::memory();
/// let id = sessions.create("Ada".to_owned()).await?;
/// sessions.delete(&id).await?;
/// let name = match sessions.get(&id).await {
///     Ok(name) => name,
///     Err(SessionError::NotFound) => "stranger".to_owned(),
///     Err(error) => return Err(error),
/// };
/// assert_eq!(name, "stranger");
/// # Ok(())
/// # }
/// ```
///
/// As with [`harpia::Error`](Error), `{:?}` prints what happened and its cause in one line.
#[non_exhaustive]
pub enum SessionError {
    /// There is no such session: no cookie, one that is no id, an unknown or an expired session.
    NotFound,
    /// The store cannot answer, or has no room. The error holds the close code and the cause.
    Unavailable(Error),
    /// The data is not what it should be: what is stored is of another type, as after a
    /// deployment that changed it, or a value that JSON cannot hold.
    Data {
        /// What JSON found, without the data itself.
        problem: String,
    },
    /// `open` has returned, and with it the handshake's cookies are forgotten. Keep the session's
    /// id in the connection's data: [`id_from_ws`](crate::Session::id_from_ws).
    AfterOpen,
}

impl SessionError {
    /// Makes the error of a store that cannot answer, for a [`Store`](super::Store) of your own.
    ///
    /// The cause reaches the `error` handler and the log, never the client. It must not name the
    /// key, which holds the session's id.
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(Error::Close {
            code: CloseCode::TRY_AGAIN,
            reason: ByteString::from_static("Try Again Later"),
            source: Some(cause.into()),
        })
    }

    /// Returns what a page beside the socket is answered with: 401 where there is no session, 503
    /// where the store cannot answer, 500 where the program is at fault.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::UNAUTHORIZED,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Data { .. } | Self::AfterOpen => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn data(error: &JsonError) -> Self {
        let problem = error.to_string();
        Self::Data { problem }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such session"),
            Self::Unavailable(_) => f.write_str("the session store is unavailable"),
            Self::Data { problem } => write!(f, "unreadable session data: {problem}"),
            Self::AfterOpen => f.write_str(
                "`open` has returned, and the handshake's cookies are forgotten: \
                 read the session in `auth` or `open`, and keep its id in `ws.data`",
            ),
        }
    }
}

/// Not derived: a `main` whose store cannot be reached prints this.
impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match self {
            // The error in between carries the close code and says nothing of what happened.
            Self::Unavailable(error) => match error::Error::source(error) {
                Some(cause) => write!(f, ": {cause}"),
                None => Ok(()),
            },
            Self::NotFound | Self::Data { .. } | Self::AfterOpen => Ok(()),
        }
    }
}

impl error::Error for SessionError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // The source carries the code to close with.
            Self::NotFound => Some(&UNAUTHORIZED),
            Self::Unavailable(source) => Some(source),
            Self::Data { .. } | Self::AfterOpen => None,
        }
    }
}

/// For functions that return harpia's own error; it closes as this one does.
impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        let (code, reason) = match &error {
            SessionError::NotFound => (CloseCode::POLICY, "Unauthorized"),
            SessionError::Unavailable(_) => (CloseCode::TRY_AGAIN, "Try Again Later"),
            SessionError::Data { .. } | SessionError::AfterOpen => (CloseCode::INTERNAL, ""),
        };
        Self::Close {
            code,
            reason: ByteString::from_static(reason),
            source: Some(error.into()),
        }
    }
}

static UNAUTHORIZED: Error = Error::Close {
    code: CloseCode::POLICY,
    reason: ByteString::from_static("Unauthorized"),
    source: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn closes_with(error: SessionError) -> (u16, String) {
        let error = Error::from_handler("open", error.into());
        (
            error.close_code().as_u16(),
            error.close_reason().to_string(),
        )
    }

    #[test]
    fn each_error_has_its_close() {
        let unauthorized = (1008, "Unauthorized".to_owned());
        assert_eq!(closes_with(SessionError::NotFound), unauthorized);
        let down = closes_with(SessionError::unavailable("refused"));
        assert_eq!(down, (1013, "Try Again Later".to_owned()));
        assert_eq!(closes_with(SessionError::AfterOpen), (1011, String::new()));
        let own = Error::from(SessionError::NotFound);
        assert_eq!(own.close_code(), 1008);
        assert_eq!(own.close_reason(), "Unauthorized");
    }

    #[test]
    fn debug_prints_what_happened_and_its_cause() {
        let error = SessionError::unavailable("connection refused");
        let line = "the session store is unavailable: connection refused";
        assert_eq!(format!("{error:?}"), line);
        assert_eq!(format!("{:?}", SessionError::NotFound), "no such session");
    }

    #[test]
    fn in_auth_a_store_that_is_down_is_not_the_tokens_fault() {
        let source = SessionError::unavailable("refused").into();
        let error = Error::Auth { source };
        assert_eq!(error.close_code(), 1013);
        assert_eq!(error.close_reason(), "Try Again Later");
        let source = SessionError::NotFound.into();
        let error = Error::Auth { source };
        assert_eq!(error.close_code(), 1008);
        assert_eq!(error.close_reason(), "Invalid Token");
    }

    #[test]
    fn the_data_of_a_session_is_not_in_the_error() {
        let error = serde_json::from_str::<u64>(r#""secret""#).unwrap_err();
        assert!(error.to_string().contains("secret"));
        let error = SessionError::data(&JsonError::new(&error));
        assert_eq!(
            error.to_string(),
            "unreadable session data: invalid data at line 1 column 8"
        );
    }
}
