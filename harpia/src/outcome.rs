//! What a handler may return, and how it becomes the one result that a connection acts on.

use crate::error::BoxError;
use crate::message::Message;

/// What becomes of a message after its handler: the answer of a `message` handler.
///
/// A handler that returns nothing passes the message on.
///
/// ```
/// use harpia::Broadcast;
///
/// fn no_shouting(text: &str) -> Broadcast {
///     match text {
///         "" => Broadcast::Skip,
///         _ if text.to_uppercase() == text => Broadcast::Replace(text.to_lowercase().into()),
///         _ => Broadcast::Pass,
///     }
/// }
/// # assert_eq!(no_shouting("HI"), Broadcast::Replace("hi".into()));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Broadcast {
    /// The exact message goes to all others in the route's scope.
    #[default]
    Pass,
    /// Nothing is sent.
    Skip,
    /// This message goes out in its place.
    Replace(Message),
}

/// What a handler may return: nothing, or a `Result` of nothing.
///
/// [`message`](crate::Route::message) may also say what is broadcast, see [`MessageOutput`], unless
/// its route has `broadcast = off`; [`auth`](crate::Route::auth) has to be able to refuse, see
/// [`AuthOutput`].
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "not a handler's result",
    note = "return nothing, or `Result<(), E>` with an error `E`: `HandlerResult` takes any",
    note = "only `message` returns a `Broadcast`, and not on a route with `broadcast = off`"
)]
pub trait HandlerOutput {
    /// Converts it into the one result that a connection acts on.
    ///
    /// # Errors
    ///
    /// The handler's own.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl HandlerOutput for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> HandlerOutput for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// What an `auth` handler may return: a `Result` of nothing, whose `Err` refuses the client.
#[diagnostic::on_unimplemented(
    message = "`auth` must return `Result<(), E>`, not `{Self}`",
    label = "not `Result<(), E>`",
    note = "return `HandlerResult`: `Ok(())` lets the client in, and an `Err` refuses it"
)]
pub trait AuthOutput {
    /// Converts it into the one result that a connection acts on.
    ///
    /// # Errors
    ///
    /// The handler's own.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> AuthOutput for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// What a `message` handler may return: nothing, a [`Broadcast`], or a `Result` of either.
#[diagnostic::on_unimplemented(
    message = "`message` cannot return `{Self}`",
    label = "not a handler's result",
    note = "return nothing, a `Broadcast`, or a `Result` of either with an error `E`: \
            `HandlerResult` and `HandlerResult<Broadcast>` take any"
)]
pub trait MessageOutput {
    /// Converts it into a decision; nothing means [`Broadcast::Pass`].
    ///
    /// # Errors
    ///
    /// The handler's own.
    fn into_broadcast(self) -> Result<Broadcast, BoxError>;
}

#[diagnostic::do_not_recommend]
impl MessageOutput for () {
    fn into_broadcast(self) -> Result<Broadcast, BoxError> {
        Ok(Broadcast::Pass)
    }
}

#[diagnostic::do_not_recommend]
impl MessageOutput for Broadcast {
    fn into_broadcast(self) -> Result<Broadcast, BoxError> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: MessageOutput, E: Into<BoxError>> MessageOutput for Result<T, E> {
    fn into_broadcast(self) -> Result<Broadcast, BoxError> {
        self.map_err(Into::into)?.into_broadcast()
    }
}
