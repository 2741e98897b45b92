//! Items for generated code. This is not a stable API.
//!
//! No item of this module may be named in an error that a user reads. The traits that rustc names
//! there are public ([`FromValue`], [`HandlerSocket`],
//! [`HandlerArgument`](crate::route::HandlerArgument)). The items here keep a wrong type from being
//! reported more than once.

mod constant;

use std::future::Ready;
use std::marker::PhantomData;

use crate::error::BoxError;
use crate::extract::{
    FromHandshake, FromValue, Handshake, PathFields, PathValues, Rejection, Source,
};
use crate::route::{HandlerSocket, IntoRoute, Route};
use crate::socket::Socket;

pub use constant::{check_any_origin, check_distinct, check_path_fields};

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

/// Parses a single value of the handshake.
#[derive(Debug)]
pub struct Value<T>(PhantomData<T>);

impl<T: FromValue> Value<T> {
    /// Parses a path parameter.
    ///
    /// # Errors
    ///
    /// The errors of [`PathValues::parse`].
    pub fn parse(path: &PathValues, name: &str) -> Result<T, Rejection> {
        path.parse(name)
    }

    /// Reads a required field.
    ///
    /// # Errors
    ///
    /// The errors of [`Handshake::require`].
    pub fn require(handshake: &Handshake, source: Source, name: &str) -> Result<T, Rejection> {
        handshake.require(source, name)
    }

    /// Reads an optional field.
    ///
    /// # Errors
    ///
    /// The errors of [`Handshake::find`].
    pub fn find(handshake: &Handshake, source: Source, name: &str) -> Result<Option<T>, Rejection> {
        handshake.find(source, name)
    }

    /// Returns a parameter, for checks of its type.
    pub fn some<'a>() -> &'a T {
        never()
    }
}

/// A route's type, for checks of whether several threads may use it.
#[derive(Debug)]
pub struct Shared<T>(PhantomData<T>);

impl<T: Sync> Shared<T> {
    /// Returns a route that threads may share.
    pub fn some<'a>() -> &'a T {
        never()
    }
}

/// Returns a value of any type, for code that is type-checked and never run.
pub fn never<T>() -> T {
    unreachable!("it is never called")
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
        never()
    }

    /// Replaces [`Cloned::of`].
    fn of<T>(_: &T) -> T {
        never()
    }

    /// See [`Value`].
    ///
    /// # Errors
    ///
    /// Never called.
    fn parse<T>(_: &PathValues, _: &str) -> Result<T, Rejection> {
        never()
    }

    /// See [`Value`].
    ///
    /// # Errors
    ///
    /// Never called.
    fn require<T>(_: &Handshake, _: Source, _: &str) -> Result<T, Rejection> {
        never()
    }

    /// See [`Value`].
    ///
    /// # Errors
    ///
    /// Never called.
    fn find<T>(_: &Handshake, _: Source, _: &str) -> Result<Option<T>, Rejection> {
        never()
    }

    /// See [`Value`] and [`Shared`]. Returns a type that passes every further check, since the
    /// mistake has been reported.
    fn some<'a>() -> &'a () {
        &()
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
impl<T> Lenient for Value<T> {}
impl<T> Lenient for Shared<T> {}
impl<R> Lenient for Made<R> {}

/// An `auth` constant for types that have no `auth` of their own.
#[allow(non_upper_case_globals)]
pub trait NoAuth {
    /// Replaces the missing `auth`.
    const auth: crate::route::NoAuth = crate::route::NoAuth;
}

impl<T: ?Sized> NoAuth for T {}

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

    async fn connect(&self, _: &Handshake, (): &()) -> Result<(), BoxError> {
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

    /// The `connect` of a route without one.
    ///
    /// # Errors
    ///
    /// The rejection of [`FromHandshake`].
    pub async fn connect(handshake: &Handshake) -> Result<D, BoxError> {
        Ok(D::from_handshake(handshake).await?)
    }

    /// Returns the type of the route's socket.
    pub fn socket() -> PhantomData<Socket<D>> {
        PhantomData
    }
}

/// The parts of the handshake that a type reads, for the data of a route with `connect`: none,
/// since the handler reads them. It works like [`Reads`].
#[derive(Debug)]
pub struct MadeByConnect<D>(PhantomData<D>);

impl<D: Send + 'static> MadeByConnect<D> {
    /// Returns the type of the route's socket.
    pub fn socket() -> PhantomData<Socket<D>> {
        PhantomData
    }
}

impl<D> ReadsNothing for MadeByConnect<D> {}

/// The constants of [`Reads`] for types that are not [`FromHandshake`].
pub trait ReadsNothing {
    /// No path parameter.
    const PATH_FIELDS: PathFields = PathFields::NONE;
    /// No cookies.
    const COOKIES: bool = false;

    /// Replaces [`Reads::connect`].
    fn connect<T>(_: &Handshake) -> Ready<Result<T, BoxError>> {
        never()
    }

    /// Returns a type that stands for any socket.
    fn socket<S>() -> PhantomData<AnySocket<S>> {
        PhantomData
    }
}

impl<D> ReadsNothing for Reads<D> {}

/// The socket of a route whose data type is invalid, which is an error of its own. It accepts any
/// socket.
#[derive(Debug)]
pub struct AnySocket<S>(PhantomData<S>);

#[doc(hidden)]
#[diagnostic::do_not_recommend]
impl<S> HandlerSocket<AnySocket<S>> for S {}

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
