//! What generated code names besides the public items. Not an API.
//!
//! Traits and functions here exist for the errors they give: each states one rule about the
//! user's types in words. A bound of a trait itself or of a function would be named in the error
//! too, and so stands on the one implementation of the trait.

mod constant;

use std::marker::PhantomData;
use std::str::FromStr;

use crate::error::BoxError;
use crate::extract::{FromHandshake, Handshake, PathFields, PathValues, Rejection, Source};
use crate::outcome::HandlerOutput;
use crate::route::{IntoRoute, Route};
use crate::socket::Socket;

pub use constant::{check_any_origin, check_distinct, check_path_fields};

/// The socket's type as a handler writes it, which must be the route's.
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

/// Stands for the socket of a route whose data is none: that has an error of its own.
#[derive(Debug)]
pub struct AnySocket;

/// An argument whose type is fixed.
#[diagnostic::on_unimplemented(
    message = "this argument must be a `{T}`, and is a `{Self}`",
    label = "write `{T}`"
)]
pub trait ArgumentOf<T> {
    /// Hands the value on, unchanged.
    fn argument_of(value: T) -> Self;
}

impl<T> ArgumentOf<T> for T {
    fn argument_of(value: T) -> Self {
        value
    }
}

/// Lends a handler its socket, also where its type is wrong: that is an error of its own.
///
/// This and its like rest on one rule: what is inherent goes before what is a trait's. Where the
/// types are not right, the functions of [`Lenient`] are left, which compile with any.
#[derive(Debug)]
pub struct Lend<S, D>(PhantomData<(S, D)>);

impl<D> Lend<Socket<D>, D> {
    /// Hands the socket on, unchanged.
    pub fn lend(socket: &mut Socket<D>) -> &mut Socket<D> {
        socket
    }
}

/// Clones a parameter for a handler.
#[derive(Debug)]
pub struct Cloned<T>(PhantomData<T>);

impl<T: Clone> Cloned<T> {
    /// Clones it.
    pub fn of(value: &T) -> T {
        value.clone()
    }
}

/// A route on its way into the app.
#[derive(Debug)]
pub struct Made<R>(pub R);

impl<R: Route> Made<R> {
    /// Hands the route on, unchanged.
    pub fn route(self) -> R {
        self.0
    }
}

/// What stands in for a function of a type that is not as it must be. Nothing that compiles calls it.
pub trait Lenient {
    /// See [`Lend`].
    fn lend<S, T>(_: &mut S) -> &mut T {
        unreachable!("does not compile")
    }

    /// See [`Cloned`].
    fn of<T>(_: &T) -> T {
        unreachable!("does not compile")
    }

    /// See [`Made`].
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

/// What each handler may return: [`HandlerOutput`], with the handler's name in the error.
macro_rules! output_of {
    ($($handler:ident: $message:literal, $note:literal;)*) => {$(
        #[doc = $message]
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "not a handler's result",
            note = $note
        )]
        pub trait $handler {
            /// Makes one kind of result of it.
            ///
            /// # Errors
            ///
            /// The handler's own.
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

/// What `auth` may return: a result, since one that cannot refuse would let anyone in.
#[diagnostic::on_unimplemented(
    message = "`auth` must return `Result<(), E>`, and returns `{Self}`",
    label = "not what says whether somebody is let in",
    note = "write `HandlerResult`"
)]
pub trait AuthOutput {
    /// Makes one kind of result of it.
    ///
    /// # Errors
    ///
    /// The handler's own.
    fn done(self) -> Result<(), BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> AuthOutput for Result<(), E> {
    fn done(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// A type that a single value of the handshake can be read as.
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
    /// As [`PathValues::parse`].
    fn parameter(path: &PathValues, name: &str) -> Result<Self, Rejection>;

    /// Reads a field that must be there.
    ///
    /// # Errors
    ///
    /// As [`Handshake::require`].
    fn require(handshake: &Handshake, source: Source, name: &str) -> Result<Self, Rejection>;

    /// Reads a field that may be missing.
    ///
    /// # Errors
    ///
    /// As [`Handshake::find`].
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

/// Stands for a route whose attribute has mistakes, so that using it adds no other.
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

/// What a type reads of the handshake, also if it is no [`FromHandshake`] at all: that is an error
/// of its own, which a check must not repeat.
///
/// An inherent constant goes before a trait's: where the bound does not hold, [`ReadsNothing`]'s are
/// left.
#[derive(Debug)]
pub struct Reads<D>(PhantomData<D>);

impl<D: FromHandshake> Reads<D> {
    /// The path parameters that it reads.
    pub const PATH_FIELDS: PathFields = D::PATH_FIELDS;
    /// Whether it reads cookies.
    pub const COOKIES: bool = D::READS_COOKIES;
    /// The socket that its handlers take.
    pub const SOCKET: PhantomData<Socket<D>> = PhantomData;
}

/// The answers of [`Reads`] about other types.
pub trait ReadsNothing {
    /// None.
    const PATH_FIELDS: PathFields = PathFields::NONE;
    /// No.
    const COOKIES: bool = false;
    /// Any.
    const SOCKET: PhantomData<AnySocket> = PhantomData;
}

impl<D> ReadsNothing for Reads<D> {}

/// The path of a route, by the same way; empty for what is no route.
#[derive(Debug)]
pub struct PathOf<R>(PhantomData<R>);

impl<R: IntoRoute> PathOf<R> {
    /// The path.
    pub const PATH: &'static str = R::PATH;
}

/// The answer of [`PathOf`] about other types.
pub trait NoPath {
    /// No path.
    const PATH: &'static str = "";
}

impl<R> NoPath for PathOf<R> {}
