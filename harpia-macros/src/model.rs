//! A valid route: what `expand` works from. Nothing here can be wrong any more.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Generics, LitStr, Path, Type};

pub(crate) struct Route {
    pub(crate) path: LitStr,
    pub(crate) generics: Generics,
    pub(crate) self_type: Type,
    pub(crate) data: Type,
    /// The calls on `Options::new()`.
    pub(crate) options: Vec<TokenStream>,
    /// The `any` of `origins = any`.
    pub(crate) any_origin: Option<TokenStream>,
    pub(crate) broadcasts: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) near_misses: Vec<NearMiss>,
    /// A macro call among the methods: what it expands to is not seen.
    pub(crate) unseen: Option<Path>,
}

/// A path parameter as one of the types that handlers take it as.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: Type,
    /// Where only handlers behind `#[cfg]` take it: the predicates, of which one must hold.
    pub(crate) conditions: Option<Vec<TokenStream>>,
}

pub(crate) struct Handler {
    pub(crate) kind: Kind,
    /// The user's own word for it: errors belong there.
    pub(crate) name: Ident,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) is_async: bool,
    pub(crate) arguments: Vec<Argument>,
    /// The return type, where one is written.
    pub(crate) output: Option<Type>,
}

/// A method that may have been meant as a handler. It is one if nobody calls it, which only rustc
/// knows.
pub(crate) struct NearMiss {
    pub(crate) name: Ident,
    pub(crate) meant: Kind,
    /// As [`Method::position`](crate::parse::Method::position).
    pub(crate) position: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
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
    Message(Type),
    /// A message whose type is called as harpia's socket.
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
    pub(crate) const ALL: [Self; 6] = [
        Self::Auth,
        Self::Open,
        Self::Message,
        Self::Close,
        Self::Drain,
        Self::Error,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Open => "open",
            Self::Message => "message",
            Self::Close => "close",
            Self::Drain => "drain",
            Self::Error => "error",
        }
    }

    /// What a handler takes in order, besides the socket and the path's parameters.
    pub(crate) fn in_order(self) -> &'static [&'static str] {
        match self {
            Self::Open | Self::Drain => &[],
            Self::Auth => &["first"],
            Self::Message => &["message"],
            Self::Close => &["code", "reason"],
            Self::Error => &["error"],
        }
    }

    /// What the message is called where it must have its own name.
    pub(crate) fn message_name(self) -> Option<&'static str> {
        match self {
            Self::Auth | Self::Message => self.in_order().first().copied(),
            _ => None,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// `r#auth` is `auth`: taken for an ordinary method, it would leave the route open.
    pub(crate) fn of(name: &Ident) -> Option<Self> {
        Self::named(&name.unraw().to_string())
    }
}
