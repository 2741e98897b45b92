//! What the arguments of a handler must be. Both traits hold for exactly the right types; they exist
//! for the errors that rustc prints where a handler has another.

use std::marker::PhantomData;

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

/// An argument whose type the handler's name decides: the close code, its reason and the error.
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
