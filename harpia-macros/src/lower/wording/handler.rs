//! The errors about handlers and their arguments.

use syn::{FnArg, Generics, Pat, PatType, ReturnType, Signature, Type};

use crate::diagnostics::Problem;
use crate::model::Kind;
use crate::text::text_of;

pub(in crate::lower) fn conditional(kind: Kind) -> Problem {
    Problem::new(
        format!(
            "`{}` cannot be behind `cfg`: where it is left out, the route lets everybody in",
            kind.name()
        ),
        "put the `cfg` on the whole `impl` block",
    )
}

pub(in crate::lower) fn connect_with_socket() -> Problem {
    Problem::new(
        "`connect` runs before the upgrade, when there is no socket yet",
        "write `request: &Handshake`, or rename the handler to `open`, which gets the socket",
    )
}

/// The help is the user's signature, with the missing part added.
pub(in crate::lower) fn connect_without_result(signature: &Signature) -> Problem {
    let mut written = signature.clone();
    written.output = syn::parse_quote!(-> HandlerResult<Data>);
    Problem::new(
        "`connect` must return the connection's data in a `Result`",
        format!(
            "write `{}`, with the route's data for `Data`, which may be `()`",
            text_of(&written)
        ),
    )
}

/// The help is the user's signature, with the missing part added.
pub(in crate::lower) fn auth_without_first(signature: &Signature) -> Problem {
    let mut written = with_result(signature);
    written.inputs.push(syn::parse_quote!(first: String));
    Problem::new(
        "`auth` must take the first message, which says who the client is",
        format!(
            "write `{}`; a handler that only reads the handshake is `open`",
            text_of(&written)
        ),
    )
}

/// The help is the user's signature, with the missing part added.
pub(in crate::lower) fn auth_without_result(signature: &Signature) -> Problem {
    Problem::new(
        "`auth` must return a `Result`: without one it lets everybody in",
        format!("write `{}`", text_of(&with_result(signature))),
    )
}

fn with_result(signature: &Signature) -> Signature {
    let mut written = signature.clone();
    if matches!(written.output, ReturnType::Default) {
        written.output = syn::parse_quote!(-> HandlerResult);
    }
    written
}

pub(in crate::lower) fn message_or_parameter(name: &str, own: &str, parameter: &str) -> Problem {
    Problem::new(
        format!("`{name}` is neither `{own}` nor a path parameter"),
        format!("rename it to `{own}` for the message, or to `{parameter}` for the path parameter"),
    )
}

pub(in crate::lower) fn unknown_parameter(
    kind: Kind,
    name: &str,
    near: Option<&str>,
    names: &[String],
) -> Problem {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the path has {}", listed(names)),
    };
    Problem::new(
        format!("`{}` reads `{name}`, which is not in the path", kind.name()),
        help,
    )
}

pub(in crate::lower) fn generic(generics: &Generics) -> Problem {
    let types = generics.type_params().map(|one| one.ident.to_string());
    let constants = generics.const_params().map(|one| one.ident.to_string());
    let names: Vec<String> = types.chain(constants).collect();
    Problem::new(
        "a handler cannot be generic",
        format!("replace `{}` with a concrete type", names.join("`, `")),
    )
}

pub(in crate::lower) fn impl_trait(ty: &Type) -> Problem {
    Problem::new(
        "a handler cannot be generic",
        format!("replace `{}` with a concrete type", text_of(ty)),
    )
}

/// For a handler that is generic only in lifetimes.
pub(in crate::lower) fn lifetimes(names: &[String]) -> Problem {
    let it = match names {
        [_] => "it is",
        _ => "they are",
    };
    Problem::new(
        "a handler cannot have lifetime parameters",
        format!(
            "remove `{}` here and wherever {it} used",
            names.join("`, `")
        ),
    )
}

/// This error is reported at the type, since the rest of the argument is correct.
pub(in crate::lower) fn exclusive_parameter(name: &str, referent: &Type) -> Problem {
    let help = match text_of(referent).as_str() {
        "str" | "String" => {
            format!("write `{name}: &str`, or `mut {name}: String` for a copy to change")
        }
        other => format!("write `{name}: &{other}`, or `mut {name}: {other}` for a copy to change"),
    };
    Problem::new("a path parameter cannot be taken as `&mut`", help)
}

pub(in crate::lower) fn qualifier(name: &str, keyword: &str) -> Problem {
    Problem::new(
        format!("handler `{name}` cannot be `{keyword}`"),
        format!("remove `{keyword}`"),
    )
}

/// The help is the user's signature, with the missing part added.
pub(in crate::lower) fn no_receiver(kind: Kind, signature: &Signature) -> Problem {
    let mut written = signature.clone();
    let receiver: FnArg = syn::parse_quote!(&self);
    written.inputs.insert(0, receiver);
    Problem::new(
        format!("handler `{}` must take `&self`", kind.name()),
        format!("write `{}`", text_of(&written)),
    )
}

pub(in crate::lower) fn wrong_receiver(kind: Kind) -> Problem {
    Problem::new(
        format!("handler `{}` must take `&self`", kind.name()),
        "all connections share the route: keep the state of one connection in `ws.data`, and \
         shared state behind a `Mutex`",
    )
}

pub(in crate::lower) fn extra_argument(
    kind: Kind,
    argument: &PatType,
    is_socket: bool,
    names: &[String],
) -> Problem {
    let takes = match kind {
        Kind::Open | Kind::Drain => "the socket",
        Kind::Connect => "the request",
        Kind::Auth => "the socket and the first message",
        Kind::Message => "the socket and the message",
        Kind::Close => "the socket, the code and the reason",
        Kind::Error => "the socket and the error",
    };
    let written = text_of(argument);
    let help = match &*argument.pat {
        Pat::Ident(pat) if !is_socket => {
            let path = match names {
                [] => "the path".to_owned(),
                names => format!("the path, which has {}", listed(names)),
            };
            let instead = match kind {
                Kind::Connect => "the `Handshake` has everything else of the request",
                _ => {
                    "keep the state of one connection in `ws.data`, and shared state in fields of \
                     the route"
                }
            };
            format!(
                "remove `{written}`, or add `{{{}}}` to {path}; {instead}",
                pat.ident
            )
        }
        _ => format!("remove `{written}`"),
    };
    Problem::new(
        format!(
            "besides path parameters, handler `{}` takes only {takes}",
            kind.name()
        ),
        help,
    )
}

pub(in crate::lower) fn close_order(reason: &str) -> Problem {
    Problem::new(
        "handler `close` takes the code before the reason",
        format!("write `code: CloseCode, {reason}: &str`"),
    )
}

pub(in crate::lower) fn message_by_reference(kind: Kind, name: &str, referent: &Type) -> Problem {
    let owned = match text_of(referent).as_str() {
        "str" => "String".to_owned(),
        "[u8]" => "Bytes".to_owned(),
        other => other.to_owned(),
    };
    Problem::new(
        format!("handler `{}` takes its message by value", kind.name()),
        format!("write `{name}: {owned}`"),
    )
}

pub(in crate::lower) fn socket_by_value(socket: &Type) -> Problem {
    Problem::new(
        "handlers borrow the socket",
        format!("write `&mut {}`", text_of(socket)),
    )
}

fn listed(names: &[String]) -> String {
    format!("`{{{}}}`", names.join("}`, `{"))
}

pub(in crate::lower) fn defined_twice(name: &str) -> Problem {
    Problem::new(
        format!("handler `{name}` is defined twice"),
        format!("remove or rename this `{name}`"),
    )
}
