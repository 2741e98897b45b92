//! Why connections end: one table of causes.
//!
//! Each has its label in logs and metrics, its log level, whether the `error` handler is called,
//! and the close frame if it is always the same.

use super::{CloseCode, CloseFrame};

/// Why a connection ended. The first cause decides the close frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CloseCause {
    /// The client sent a close frame.
    Client,
    /// The connection was lost without a close frame.
    Lost,
    /// `Socket::close` or `Peer::close`.
    Handler,
    /// `Hub::disconnect` or `Hub::disconnect_topic`.
    Disconnect,
    /// `Socket::deadline` passed.
    Deadline,
    /// A token expired.
    Expired,
    /// For `idle_timeout`, nothing came from the client and it read nothing.
    Idle,
    /// The server shuts down.
    Shutdown,
    /// The client reads too slowly for its `backlog`.
    SlowConsumer,
    /// The client sent more messages than `rate` allows.
    RateLimit,
    /// A message was over `max_message`.
    TooBig,
    /// The client did not complete a message in time.
    UnfinishedMessage,
    /// The client broke RFC 6455.
    Protocol,
    /// A message could not be read as the type that the handler takes.
    InvalidMessage,
    /// The unfinished input of all clients together is over its budget.
    Overload,
    /// No first message came within `auth_timeout`, or `auth` did not return within it.
    ///
    /// The `error` handler is called only in the second case, with the error of `auth`. Silent
    /// clients are ordinary on the internet.
    AuthTimeout,
    /// `auth` failed.
    AuthFailed,
    /// A handler returned an error.
    HandlerError,
    /// A handler panicked.
    HandlerPanic,
}

/// How visible a close is in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Visibility {
    /// An ordinary event, at `debug`.
    Ordinary,
    /// A limit or a rule was enforced, at `info`.
    Policy,
    /// A fault of the application or the server, at `warn`.
    Fault,
}

/// One row of the table.
pub(crate) struct Row {
    /// The cause's name in logs and metrics.
    pub(crate) label: &'static str,
    pub(crate) visibility: Visibility,
    /// Whether the `error` handler is called before `close`.
    pub(crate) reaches_error: bool,
    /// The close code and reason, if they are always the same.
    pub(crate) frame: Option<(CloseCode, &'static str)>,
}

use Visibility::{Fault, Ordinary, Policy};

impl CloseCause {
    /// Returns the cause's row of the table.
    #[rustfmt::skip]
    pub(crate) const fn row(self) -> Row {
        let (label, visibility, reaches_error, frame) = match self {
            Self::Client         => ("client",          Ordinary, false, None),
            Self::Lost           => ("lost",            Ordinary, false, Some((CloseCode::ABNORMAL, ""))),
            Self::Handler        => ("handler",         Ordinary, false, None),
            Self::Disconnect     => ("disconnect",      Ordinary, false, None),
            Self::Deadline       => ("deadline",        Policy,   false, None),
            Self::Expired        => ("expired",         Policy,   false, None),
            Self::Idle           => ("idle",            Ordinary, false, Some((CloseCode::GOING_AWAY, "Idle Timeout"))),
            Self::Shutdown       => ("shutdown",        Ordinary, false, Some((CloseCode::GOING_AWAY, "Server Shutdown"))),
            Self::SlowConsumer   => ("slow_consumer",   Policy,   true,  Some((CloseCode::TRY_AGAIN, "Slow Consumer"))),
            Self::RateLimit      => ("rate_limit",      Policy,   true,  Some((CloseCode::POLICY, "Rate Limit Exceeded"))),
            Self::TooBig         => ("too_big",         Policy,   true,  Some((CloseCode::TOO_BIG, "Message Too Big"))),
            Self::UnfinishedMessage => ("unfinished_message", Policy, true, Some((CloseCode::POLICY, "Message Unfinished"))),
            Self::Protocol       => ("protocol",        Policy,   true,  None),
            Self::InvalidMessage => ("invalid_message", Policy,   true,  None),
            Self::Overload       => ("overload",        Fault,    true,  Some((CloseCode::TRY_AGAIN, "Server Overloaded"))),
            Self::AuthTimeout    => ("auth_timeout",    Policy,   false, Some((CloseCode::POLICY, "Auth Timeout"))),
            Self::AuthFailed     => ("auth_failed",     Policy,   true,  None),
            Self::HandlerError   => ("handler_error",   Policy,   true,  None),
            Self::HandlerPanic   => ("handler_panic",   Fault,    true,  Some((CloseCode::INTERNAL, ""))),
        };
        Row { label, visibility, reaches_error, frame }
    }

    pub(crate) const COUNT: usize = Self::HandlerPanic as usize + 1;

    /// Returns the cause whose close frame in the table is this one.
    pub(crate) fn of_frame(code: CloseCode, reason: &str) -> Option<Self> {
        let has_frame = |cause: &Self| cause.row().frame == Some((code, reason));
        Self::ALL.into_iter().find(has_frame)
    }

    /// Every cause, in the order of the table.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Client,
        Self::Lost,
        Self::Handler,
        Self::Disconnect,
        Self::Deadline,
        Self::Expired,
        Self::Idle,
        Self::Shutdown,
        Self::SlowConsumer,
        Self::RateLimit,
        Self::TooBig,
        Self::UnfinishedMessage,
        Self::Protocol,
        Self::InvalidMessage,
        Self::Overload,
        Self::AuthTimeout,
        Self::AuthFailed,
        Self::HandlerError,
        Self::HandlerPanic,
    ];
}

/// A decided close: its cause and its close frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Close {
    pub(crate) cause: CloseCause,
    pub(crate) frame: CloseFrame,
}

impl Close {
    pub(crate) fn new(cause: CloseCause, frame: CloseFrame) -> Self {
        Self { cause, frame }
    }

    /// Makes a close with the cause's frame from the table, or 1011 if the table has none.
    pub(crate) fn of(cause: CloseCause) -> Self {
        let (code, reason) = cause.row().frame.unwrap_or((CloseCode::INTERNAL, ""));
        Self::new(cause, CloseFrame::new(code, reason))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_causes_share_a_label() {
        let labels: HashSet<_> = CloseCause::ALL.iter().map(|one| one.row().label).collect();
        assert_eq!(labels.len(), CloseCause::ALL.len());
    }

    #[test]
    fn the_docs_have_a_row_for_each_cause_with_its_level_and_frame() {
        let docs = include_str!("../../guide/closing.md");
        for cause in CloseCause::ALL {
            let row = cause.row();
            let start = format!("| `{}`:", row.label);
            let line = docs.lines().find(|line| line.starts_with(&start));
            let line = line.unwrap_or_else(|| panic!("no row for {cause:?}"));
            let columns: Vec<_> = line.split('|').map(str::trim).collect();
            let level = match row.visibility {
                Ordinary => "debug",
                Policy => "info",
                Fault => "warn",
            };
            assert_eq!(columns[3], level, "{line}");
            assert_eq!(columns[4] == "yes", row.reaches_error, "{line}");
            if let Some((code, reason)) = row.frame {
                assert!(columns[2].contains(&code.to_string()), "{line}");
                assert!(columns[2].contains(reason), "{line}");
            }
        }
    }

    #[test]
    fn every_reason_is_written_in_title_case() {
        for cause in CloseCause::ALL {
            let (_, reason) = cause.row().frame.unwrap_or((CloseCode::NORMAL, ""));
            let is_title = |word: &str| word.starts_with(|c: char| c.is_uppercase());
            assert!(reason.split_whitespace().all(is_title), "{reason}");
        }
    }

    #[test]
    fn each_close_frame_in_the_table_has_a_sendable_code() {
        for cause in CloseCause::ALL {
            if let Some((code, _)) = cause.row().frame {
                assert!(code.is_sendable() || cause == CloseCause::Lost, "{cause:?}");
            }
        }
    }
}
