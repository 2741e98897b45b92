//! The traits of handlers' arguments. They are implemented for exactly the right types, and exist
//! for the errors that rustc prints if a handler has any other type.

use std::marker::PhantomData;

use crate::error::Error;
use crate::message::{FromMessage, Message};

/// The socket that a handler takes: `&mut Socket<D>` with the route's data `D`.
#[diagnostic::on_unimplemented(
    message = "this handler's socket does not match the route's data",
    label = "expected `&mut {Socket}`",
    note = "all handlers of a route take the same socket, here `&mut {Socket}`"
)]
pub trait HandlerSocket<Socket> {
    /// Compares the types.
    fn is(_: PhantomData<Socket>) {}
}

#[diagnostic::do_not_recommend]
impl<Socket> HandlerSocket<Socket> for Socket {}

/// An argument whose type the handler's name decides: the request, the close code, its reason and
/// the error.
#[diagnostic::on_unimplemented(
    message = "this argument must be a `{T}`, not a `{Self}`",
    label = "write `{T}`"
)]
pub trait HandlerArgument<T> {
    /// Hands the value on, unchanged.
    fn from_argument(value: T) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T> HandlerArgument<T> for T {
    fn from_argument(value: T) -> Self {
        value
    }
}

/// A message whose type is called `Socket`: one that implements [`FromMessage`].
#[diagnostic::on_unimplemented(
    message = "handlers borrow the socket",
    label = "write `&mut {Self}`"
)]
pub trait MessageArgument: Sized {
    /// Reads the message.
    ///
    /// # Errors
    ///
    /// As [`FromMessage::from_message`].
    fn from_argument(message: Message) -> Result<Self, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: FromMessage> MessageArgument for T {
    fn from_argument(message: Message) -> Result<Self, Error> {
        T::from_message(message)
    }
}

/// The `auth` of a route without one: nothing.
#[diagnostic::on_unimplemented(
    message = "`#[ws_route]` does not see this type's `auth`, and would never call it",
    label = "it may be in what this expands to",
    note = "write `auth` out in the block of `#[ws_route]`, or rename it if it is not the handler"
)]
pub trait NoHiddenAuth: Sized {
    /// Compares the types.
    fn check(self) {}
}

#[diagnostic::do_not_recommend]
impl NoHiddenAuth for NoAuth {}

/// Stands where a route has no `auth`.
#[doc(hidden)]
#[derive(Debug)]
pub struct NoAuth;
