//! The types that a handler can return, converted to the one result that a connection acts on.

use crate::error::BoxError;
use crate::message::Message;

/// What is broadcast once the `message` handler has returned.
///
/// A handler that returns nothing is the same as one that returns [`Pass`](Self::Pass).
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
    /// The message goes unchanged to all others in the route's scope.
    #[default]
    Pass,
    /// Nothing is broadcast.
    Skip,
    /// Another message goes to them instead.
    Replace(Message),
}

/// Types that a handler can return: `()`, and a `Result` of it.
///
/// A [`message`](crate::Route::message) handler can also return a [`Broadcast`], unless its route
/// has `broadcast = off`: see [`MessageOutput`]. An [`auth`](crate::Route::auth) handler must
/// return a `Result`: see [`AuthOutput`].
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn open(&self, ws: &mut Socket) {
///         ws.send("welcome");
///     }
///
///     fn close(&self, ws: &mut Socket) -> HandlerResult {
///         std::fs::write("last-left.txt", ws.id().to_string())?;
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "not a handler's result",
    note = "return nothing, or `Result<(), E>` with an error `E`: `HandlerResult` takes any",
    note = "only `message` returns a `Broadcast`, and not on a route with `broadcast = off`"
)]
pub trait HandlerOutput {
    /// Converts the value into a result.
    ///
    /// # Errors
    ///
    /// The handler's error.
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

/// The type that a `connect` handler returns: a `Result` of the connection's data, whose `Err`
/// refuses the upgrade.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn connect(&self, request: &Handshake) -> HandlerResult<u32> {
///         let seat = request.query("seat").or_reject(400, "no seat")?;
///         Ok(seat.parse().or_reject(400, "a seat is a number")?)
///     }
///
///     fn open(&self, ws: &mut Socket<u32>) {
///         ws.send(format!("your seat is {}", ws.data));
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`connect` must return `Result<{D}, E>`, not `{Self}`",
    label = "not the route's data in a `Result`",
    note = "return `HandlerResult<{D}>`: `Ok` has the connection's data, and an `Err` refuses the \
            upgrade"
)]
pub trait ConnectOutput<D> {
    /// Converts the value into a result.
    ///
    /// # Errors
    ///
    /// The handler's error.
    fn into_data(self) -> Result<D, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<D, E: Into<BoxError>> ConnectOutput<D> for Result<D, E> {
    fn into_data(self) -> Result<D, BoxError> {
        self.map_err(Into::into)
    }
}

/// The type that an `auth` handler returns: a `Result` of `()`, whose `Err` rejects the client.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
///         if first == "let me in" { Ok(()) } else { Err("wrong word".into()) }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`auth` must return `Result<(), E>`, not `{Self}`",
    label = "not `Result<(), E>`",
    note = "return `HandlerResult`: `Ok(())` lets the client in, and an `Err` refuses it"
)]
pub trait AuthOutput {
    /// Converts the value into a result.
    ///
    /// # Errors
    ///
    /// The handler's error.
    fn into_result(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> AuthOutput for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// Types that a `message` handler can return: `()`, [`Broadcast`], and a `Result` of either.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Numbers;
///
/// #[ws_route("/numbers")]
/// impl Numbers {
///     fn message(&self, message: String) -> HandlerResult<Broadcast> {
///         let number: u32 = message.parse()?;
///         Ok(if number > 9 { Broadcast::Skip } else { Broadcast::Pass })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`message` cannot return `{Self}`",
    label = "not a handler's result",
    note = "return nothing, a `Broadcast`, or a `Result` of either with an error `E`: \
            `HandlerResult` and `HandlerResult<Broadcast>` take any"
)]
pub trait MessageOutput {
    /// Converts the value into a result. `()` becomes [`Broadcast::Pass`].
    ///
    /// # Errors
    ///
    /// The handler's error.
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
