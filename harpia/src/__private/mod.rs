//! What generated code names besides the public items. Not an API.
//!
//! Nothing here may be named in an error that a user reads. The traits that rustc names there are
//! public ([`FromValue`], [`HandlerSocket`], [`HandlerArgument`](crate::route::HandlerArgument));
//! what stands here keeps a wrong type from being reported more than once.

mod constant;

use std::marker::PhantomData;

use crate::extract::{
    FromHandshake, FromValue, Handshake, PathFields, PathValues, Rejection, Source,
};
use crate::route::{HandlerSocket, IntoRoute, Route};
use crate::socket::Socket;

pub use constant::{check_any_origin, check_distinct, check_path_fields};

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

/// Parses a single value of the handshake.
#[derive(Debug)]
pub struct Value<T>(PhantomData<T>);

impl<T: FromValue> Value<T> {
    /// Parses a path parameter.
    ///
    /// # Errors
    ///
    /// As [`PathValues::parse`].
    pub fn parse(path: &PathValues, name: &str) -> Result<T, Rejection> {
        path.parse(name)
    }

    /// Reads a field that must be there.
    ///
    /// # Errors
    ///
    /// As [`Handshake::require`].
    pub fn require(handshake: &Handshake, source: Source, name: &str) -> Result<T, Rejection> {
        handshake.require(source, name)
    }

    /// Reads a field that may be missing.
    ///
    /// # Errors
    ///
    /// As [`Handshake::find`].
    pub fn find(handshake: &Handshake, source: Source, name: &str) -> Result<Option<T>, Rejection> {
        handshake.find(source, name)
    }

    /// A parameter, for checks of its type.
    pub fn some<'a>() -> &'a T {
        never()
    }
}

/// A route's type, for checks that ask whether it may be used by several threads.
#[derive(Debug)]
pub struct Shared<T>(PhantomData<T>);

impl<T: Sync> Shared<T> {
    /// A route that threads may share.
    pub fn some<'a>() -> &'a T {
        never()
    }
}

/// A value of any type, for code that is type-checked and never run.
pub fn never<T>() -> T {
    unreachable!("it is never called")
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
        never()
    }

    /// See [`Cloned`].
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

    /// See [`Value`] and [`Shared`]: a type that passes every further check, since the other one
    /// has its error already.
    fn some<'a>() -> &'a () {
        &()
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
impl<T> Lenient for Value<T> {}
impl<T> Lenient for Shared<T> {}
impl<R> Lenient for Made<R> {}

/// An `auth` for types that have none of their own.
#[allow(non_upper_case_globals)]
pub trait NoAuth {
    /// In its place.
    const auth: crate::route::NoAuth = crate::route::NoAuth;
}

impl<T: ?Sized> NoAuth for T {}

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
    pub fn socket() -> PhantomData<Socket<D>> {
        PhantomData
    }
}

/// The answers of [`Reads`] about other types.
pub trait ReadsNothing {
    /// None.
    const PATH_FIELDS: PathFields = PathFields::NONE;
    /// No.
    const COOKIES: bool = false;

    /// Any.
    fn socket<S>() -> PhantomData<AnySocket<S>> {
        PhantomData
    }
}

impl<D> ReadsNothing for Reads<D> {}

/// Stands for the socket of a route whose data is none: any is right.
#[derive(Debug)]
pub struct AnySocket<S>(PhantomData<S>);

#[doc(hidden)]
#[diagnostic::do_not_recommend]
impl<S> HandlerSocket<AnySocket<S>> for S {}

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
