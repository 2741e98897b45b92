//! Items for generated code. This is not a stable API.
//!
//! Most traits and functions exist for their compile errors: each states one rule about the user's
//! types in words. A bound on a trait or on a function would show up in the error too, so the bound
//! is on the only implementation of the trait instead.

mod constant;

use std::marker::PhantomData;
use std::str::FromStr;

use crate::error::BoxError;
use crate::extract::{FromHandshake, Handshake, PathFields, PathValues, Rejection, Source};
use crate::outcome::HandlerOutput;
use crate::route::{IntoRoute, Route};
use crate::socket::Socket;

pub use constant::{check_any_origin, check_distinct, check_path_fields};

/// The type of a handler's socket, which must be the socket of the route.
#[diagnostic::on_unimplemented(
    message = "this handler's socket does not match the route's data",
    label = "expected `{Wanted}`",
    note = "all handlers of a route take `&mut {Wanted}`"
)]
pub trait SocketOf<Wanted> {
    /// Compares the types.
    fn check(_: PhantomData<Wanted>) {}
}

impl<D> SocketOf<Socket<D>> for Socket<D> {}

impl<S> SocketOf<AnySocket> for S {}

/// The socket of a route whose data type is invalid, which is an error of its own.
#[derive(Debug)]
pub struct AnySocket;

/// An argument whose type is fixed.
#[diagnostic::on_unimplemented(
    message = "this argument must be a `{T}`, and is a `{Self}`",
    label = "write `{T}`"
)]
pub trait ArgumentOf<T> {
    /// Returns the value.
    fn argument_of(value: T) -> Self;
}

impl<T> ArgumentOf<T> for T {
    fn argument_of(value: T) -> Self {
        value
    }
}

/// Passes the socket to a handler. It compiles with a wrong type too, which is an error of its own.
///
/// This type, [`Cloned`] and [`Made`] rely on method resolution: an inherent function is preferred
/// to a function of a trait. If the types are wrong, the inherent function does not apply, and the
/// function of [`Lenient`] compiles with any type.
#[derive(Debug)]
pub struct Lend<S, D>(PhantomData<(S, D)>);

impl<D> Lend<Socket<D>, D> {
    /// Returns the socket.
    pub fn lend(socket: &mut Socket<D>) -> &mut Socket<D> {
        socket
    }
}

/// Clones a path parameter for a handler.
#[derive(Debug)]
pub struct Cloned<T>(PhantomData<T>);

impl<T: Clone> Cloned<T> {
    /// Clones the value.
    pub fn of(value: &T) -> T {
        value.clone()
    }
}

/// A route that is about to be added to the app.
#[derive(Debug)]
pub struct Made<R>(pub R);

impl<R: Route> Made<R> {
    /// Returns the route.
    pub fn route(self) -> R {
        self.0
    }
}

/// Functions for types that are wrong. They are never called, since the crate does not compile.
pub trait Lenient {
    /// Replaces [`Lend::lend`].
    fn lend<S, T>(_: &mut S) -> &mut T {
        unreachable!("does not compile")
    }

    /// Replaces [`Cloned::of`].
    fn of<T>(_: &T) -> T {
        unreachable!("does not compile")
    }

    /// Replaces [`Made::route`].
    fn route(self) -> Broken
    where
        Self: Sized,
    {
        Broken
    }
}

impl<S, D> Lenient for Lend<S, D> {}
impl<T> Lenient for Cloned<T> {}
impl<R> Lenient for Made<R> {}

/// Makes a trait for the return types of one handler, whose error has the handler's name.
///
/// Each is implemented for [`HandlerOutput`].
macro_rules! output_of {
    ($($handler:ident: $message:literal, $note:literal;)*) => {$(
        #[doc = $message]
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "not a handler's result",
            note = $note
        )]
        pub trait $handler {
            /// Converts the value into a result.
            ///
            /// # Errors
            ///
            /// The handler's error.
            fn done(self) -> Result<(), BoxError>;
        }

        #[diagnostic::do_not_recommend]
        impl<T: HandlerOutput> $handler for T {
            fn done(self) -> Result<(), BoxError> {
                self.into_result()
            }
        }
    )*};
}

output_of! {
    OpenOutput: "`open` cannot return `{Self}`", "return nothing, or use `HandlerResult`";
    CloseOutput: "`close` cannot return `{Self}`", "return nothing, or use `HandlerResult`";
    DrainOutput: "`drain` cannot return `{Self}`", "return nothing, or use `HandlerResult`";
    ErrorOutput: "`error` cannot return `{Self}`", "return nothing, or use `HandlerResult`";
    SilentMessageOutput: "`message` cannot return `{Self}`",
        "this route has `broadcast = off`: return nothing, or use `HandlerResult`";
}

/// The types that `auth` can return. It must be a `Result`, since without one it could reject
/// nobody.
#[diagnostic::on_unimplemented(
    message = "`auth` must return `Result<(), E>`, and returns `{Self}`",
    label = "not a `Result<(), E>`",
    note = "write `HandlerResult`"
)]
pub trait AuthOutput {
    /// Converts the value into a result.
    ///
    /// # Errors
    ///
    /// The handler's error.
    fn done(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> AuthOutput for Result<(), E> {
    fn done(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// A type that can be read from a single value of the handshake.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a single value of the handshake",
    label = "not `FromStr`",
    note = "implement `std::str::FromStr` for it",
    note = "a type that reads several values implements `FromHandshake`; its field has no attribute"
)]
pub trait FromValue: Sized {
    /// Parses a path parameter.
    ///
    /// # Errors
    ///
    /// The errors of [`PathValues::parse`].
    fn parameter(path: &PathValues, name: &str) -> Result<Self, Rejection>;

    /// Reads a required field.
    ///
    /// # Errors
    ///
    /// The errors of [`Handshake::require`].
    fn require(handshake: &Handshake, source: Source, name: &str) -> Result<Self, Rejection>;

    /// Reads an optional field.
    ///
    /// # Errors
    ///
    /// The errors of [`Handshake::find`].
    fn find(handshake: &Handshake, source: Source, name: &str) -> Result<Option<Self>, Rejection>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr> FromValue for T {
    fn parameter(path: &PathValues, name: &str) -> Result<Self, Rejection> {
        path.parse(name)
    }

    fn require(handshake: &Handshake, source: Source, name: &str) -> Result<Self, Rejection> {
        handshake.require(source, name)
    }

    fn find(handshake: &Handshake, source: Source, name: &str) -> Result<Option<Self>, Rejection> {
        handshake.find(source, name)
    }
}

/// The route of an attribute with mistakes, so that its use adds no further error.
#[derive(Debug)]
pub struct Broken;

impl Route for Broken {
    const PATH: &'static str = "/";
    type Data = ();
    type Parameters = ();

    fn parameters(_: &PathValues) -> Result<(), Rejection> {
        Ok(())
    }
}

/// The parts of the handshake that a type reads.
///
/// It compiles with a type that is not [`FromHandshake`], which is an error of its own. An inherent
/// constant is preferred to a constant of a trait. If the bound does not hold, the constants of
/// [`ReadsNothing`] apply.
#[derive(Debug)]
pub struct Reads<D>(PhantomData<D>);

impl<D: FromHandshake> Reads<D> {
    /// The path parameters that the type reads.
    pub const PATH_FIELDS: PathFields = D::PATH_FIELDS;
    /// Whether the type reads cookies.
    pub const COOKIES: bool = D::READS_COOKIES;
    /// The socket of the route.
    pub const SOCKET: PhantomData<Socket<D>> = PhantomData;
}

/// The constants of [`Reads`] for types that are not [`FromHandshake`].
pub trait ReadsNothing {
    /// No path parameter.
    const PATH_FIELDS: PathFields = PathFields::NONE;
    /// No cookies.
    const COOKIES: bool = false;
    /// Any socket.
    const SOCKET: PhantomData<AnySocket> = PhantomData;
}

impl<D> ReadsNothing for Reads<D> {}

/// The path of a route, or an empty path for a type that is not a route. It works like [`Reads`].
#[derive(Debug)]
pub struct PathOf<R>(PhantomData<R>);

impl<R: IntoRoute> PathOf<R> {
    /// The path.
    pub const PATH: &'static str = R::PATH;
}

/// The constant of [`PathOf`] for types that are not routes.
pub trait NoPath {
    /// No path.
    const PATH: &'static str = "";
}

impl<R> NoPath for PathOf<R> {}
