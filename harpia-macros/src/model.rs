//! A valid route, from which `expand` makes the output. Values of these types have been checked.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Generics, LitStr, Path, Type};

pub(crate) struct Route {
    pub(crate) path: LitStr,
    pub(crate) generics: Generics,
    pub(crate) self_type: Type,
    pub(crate) data: Type,
    /// The method calls on `Options::new()`.
    pub(crate) options: Vec<TokenStream>,
    /// The `any` of `origins = any`.
    pub(crate) any_origin: Option<TokenStream>,
    pub(crate) broadcasts: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) near_misses: Vec<NearMiss>,
    /// The path of a macro call among the methods. The macro cannot see what that call expands to.
    pub(crate) macro_call: Option<Path>,
}

impl Route {
    /// Returns the handler of a kind, or the first of several behind `#[cfg]`.
    pub(crate) fn handler(&self, kind: Kind) -> Option<&Handler> {
        self.handlers.iter().find(|handler| handler.kind == kind)
    }
}

/// A path parameter, with one of the types by which handlers take it.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// If only handlers behind `#[cfg]` take the parameter: their predicates, of which at least one
    /// must hold.
    pub(crate) conditions: Option<Vec<TokenStream>>,
}

pub(crate) struct Handler {
    pub(crate) kind: Kind,
    /// The name as the user wrote it. Its span is where errors are reported.
    pub(crate) name: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) is_async: bool,
    pub(crate) arguments: Vec<Argument>,
    /// The return type, if the user wrote one.
    pub(crate) output: Option<Type>,
}

/// A method that may have been meant as a handler. Only rustc knows whether something calls it. If
/// nothing does, it is reported.
pub(crate) struct NearMiss {
    pub(crate) name: Ident,
    pub(crate) meant: Kind,
    /// See [`Method::position`](crate::parse::Method::position).
    pub(crate) position: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Connect,
    Auth,
    Open,
    Message,
    Close,
    Drain,
    Error,
}

/// One argument of a handler, in the user's order.
pub(crate) enum Argument {
    /// The type behind the `&mut`.
    Socket(Type),
    Parameter {
        index: usize,
        by: By,
        ty: Type,
    },
    /// The `&Handshake` of `connect`.
    Request(Type),
    Message(Type),
    /// A message of a type named `Socket`, which may be a type of the user's own.
    MessageOrSocket(Type),
    Code(Type),
    Reason(Type),
    Error(Type),
}

/// How a handler takes a path parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    Value,
    Reference,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Connect,
        Self::Auth,
        Self::Open,
        Self::Message,
        Self::Close,
        Self::Drain,
        Self::Error,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Auth => "auth",
            Self::Open => "open",
            Self::Message => "message",
            Self::Close => "close",
            Self::Drain => "drain",
            Self::Error => "error",
        }
    }

    /// Returns the names of the arguments that are recognized by their order: all but the socket
    /// and the path parameters.
    pub(crate) fn in_order(self) -> &'static [&'static str] {
        match self {
            Self::Open | Self::Drain => &[],
            Self::Connect => &["request"],
            Self::Auth => &["first"],
            Self::Message => &["message"],
            Self::Close => &["code", "reason"],
            Self::Error => &["error"],
        }
    }

    /// Returns the name that the message must have on a route with path parameters.
    pub(crate) fn message_name(self) -> Option<&'static str> {
        match self {
            Self::Auth | Self::Message => self.in_order().first().copied(),
            _ => None,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Treats `r#auth` as `auth`. As an ordinary method, it would leave the route without
    /// authentication.
    pub(crate) fn of(name: &Ident) -> Option<Self> {
        Self::named(&name.unraw().to_string())
    }
}
