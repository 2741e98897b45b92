//! What generated code names besides the public items. Not an API.
//!
//! Traits and functions here exist for the errors they give: each states one rule about the
//! user's types in words.

use std::marker::PhantomData;
use std::str::FromStr;

use crate::extract::{FromHandshake, Handshake, PathFields, PathValues, Rejection, Source};
use crate::route::{IntoRoute, Route, missing_path_field, same_shape};
use crate::socket::Socket;

/// The socket's type as a handler writes it, which must be the route's.
#[diagnostic::on_unimplemented(
    message = "this handler's socket does not match the route's data",
    label = "expected `Socket<{D}>`",
    note = "all handlers of a route take `&mut Socket<{D}>`"
)]
pub trait SocketOf<D> {
    /// Hands the socket on, unchanged.
    fn socket_of(socket: &mut Socket<D>) -> &mut Self;
}

impl<D> SocketOf<D> for Socket<D> {
    fn socket_of(socket: &mut Socket<D>) -> &mut Self {
        socket
    }
}

/// An argument whose type is fixed.
#[diagnostic::on_unimplemented(
    message = "this argument is a `{T}`, not a `{Self}`",
    label = "expected `{T}`"
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

/// A type that a single value of the handshake can be read as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a single value of the handshake",
    label = "not `FromStr`",
    note = "implement `std::str::FromStr` for it",
    note = "a type that reads several values implements `FromHandshake`; its field has no attribute"
)]
pub trait FromValue: FromStr {}

#[diagnostic::do_not_recommend]
impl<T: FromStr> FromValue for T {}

/// Parses a path parameter.
///
/// # Errors
///
/// As [`PathValues::parse`].
pub fn parameter<T: FromValue>(path: &PathValues, name: &str) -> Result<T, Rejection> {
    path.parse(name)
}

/// Reads a field that must be there.
///
/// # Errors
///
/// As [`Handshake::require`].
pub fn require<T: FromValue>(
    handshake: &Handshake,
    source: Source,
    name: &str,
) -> Result<T, Rejection> {
    handshake.require(source, name)
}

/// Reads a field that may be missing.
///
/// # Errors
///
/// As [`Handshake::find`].
pub fn find<T: FromValue>(
    handshake: &Handshake,
    source: Source,
    name: &str,
) -> Result<Option<T>, Rejection> {
    handshake.find(source, name)
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
}

/// The answers of [`Reads`] about other types.
pub trait ReadsNothing {
    /// None.
    const PATH_FIELDS: PathFields = PathFields::NONE;
    /// No.
    const COOKIES: bool = false;
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

/// Refuses, at compile time, data that reads a path parameter which the path does not have.
pub const fn check_path_fields(fields: PathFields, path: &str) {
    if let Some(name) = missing_path_field(fields, path) {
        let text = Text::new()
            .push("the route's data reads the path parameter `")
            .push(name)
            .push("`, which is not in the path `")
            .push(path)
            .push("`");
        panic!("{}", text.as_str());
    }
}

/// Refuses, at compile time, pages of any origin where cookies are read.
pub const fn check_any_origin(reads_cookies: bool) {
    assert!(
        !reads_cookies,
        "`origins = any` on a route whose data reads cookies: any page could act for its visitors; \
         name the origins, as in `origins = [\"https://example.com\"]`"
    );
}

/// Refuses, at compile time, two routes that answer the same paths. One without a path has an error
/// of its own.
pub const fn check_distinct(first: &str, first_path: &str, second: &str, second_path: &str) {
    if !first_path.is_empty() && same_shape(first_path, second_path) {
        let text = Text::new()
            .push("routes `")
            .push(first)
            .push("` (\"")
            .push(first_path)
            .push("\") and `")
            .push(second)
            .push("` (\"")
            .push(second_path)
            .push("\") answer the same paths");
        panic!("{}", text.as_str());
    }
}

/// A text put together at compile time, where nothing can allocate. What does not fit is cut.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Text {
    const fn new() -> Self {
        Self {
            bytes: [0; 512],
            len: 0,
        }
    }

    const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "(the message does not fit)",
        }
    }
}
