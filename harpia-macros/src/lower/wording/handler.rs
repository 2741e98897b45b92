//! What is said of handlers and their arguments.

use syn::{FnArg, Signature, Type};

use crate::diagnostics::Problem;
use crate::model::Kind;

use super::text_of;

pub(in crate::lower) fn auth_conditional() -> Problem {
    Problem::new(
        "`auth` behind `cfg`: where that does not hold, the route would be open to anyone",
        "put the `cfg` on the whole `impl` block",
    )
}

pub(in crate::lower) fn auth_without_first(data: &str) -> Problem {
    Problem::new(
        "`auth` must take the first message, which says who the client is",
        format!(
            "write `async fn auth(&self, ws: &mut Socket<{data}>, first: String) -> HandlerResult`; \
             what the handshake brought is read in `open`"
        ),
    )
}

pub(in crate::lower) fn auth_without_result(data: &str) -> Problem {
    Problem::new(
        "`auth` must return a `Result`: without one it would let anyone in",
        format!(
            "write `async fn auth(&self, ws: &mut Socket<{data}>, first: String) -> HandlerResult`"
        ),
    )
}

pub(in crate::lower) fn message_or_parameter(name: &str, own: &str, parameter: &str) -> Problem {
    Problem::new(
        format!("is `{name}` the message or the path parameter `{parameter}`?"),
        format!("call it `{own}`, or `{parameter}`"),
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

pub(in crate::lower) fn generic() -> Problem {
    Problem::new("a handler cannot be generic", "name a concrete type")
}

/// Generic in lifetimes only.
pub(in crate::lower) fn lifetimes(names: &[String]) -> Problem {
    let noun = match names {
        [_] => "lifetime",
        _ => "lifetimes",
    };
    Problem::new(
        "a handler cannot be generic",
        format!(
            "remove the {noun} `{}` wherever it stands",
            names.join("`, `")
        ),
    )
}

/// At the type: the only thing that is wrong.
pub(in crate::lower) fn exclusive_parameter(name: &str, referent: &Type) -> Problem {
    let help = match text_of(referent).as_str() {
        "str" | "String" => {
            format!("write `{name}: &str`, or `mut {name}: String` for a copy to change")
        }
        other => format!("write `{name}: &{other}`, or `mut {name}: {other}` for a copy to change"),
    };
    Problem::new(
        format!("the path parameter `{name}` is lent or cloned, never lent as `&mut`"),
        help,
    )
}

pub(in crate::lower) fn qualifier(name: &str, keyword: &str) -> Problem {
    Problem::new(
        format!("handler `{name}` cannot be `{keyword}`"),
        format!("remove `{keyword}`"),
    )
}

/// The help is the user's own signature, with what is missing.
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
        "all connections share it: what belongs to one goes into `ws.data`, \
         the rest behind a `Mutex`",
    )
}

pub(in crate::lower) fn extra_argument(kind: Kind, names: &[String]) -> Problem {
    let takes = match kind {
        Kind::Open | Kind::Drain => "the socket",
        Kind::Auth => "the socket and the first message",
        Kind::Message => "the socket and the message",
        Kind::Close => "the socket, the code and the reason",
        Kind::Error => "the socket and the error",
    };
    let parameter = if names.is_empty() {
        "a parameter into its path".to_owned()
    } else {
        format!("a parameter into its path, which has {}", listed(names))
    };
    Problem::new(
        format!("handler `{}` takes only {takes}", kind.name()),
        format!(
            "what connections share goes into the route's own fields, what one owns into `ws.data`, \
             {parameter}"
        ),
    )
}

pub(in crate::lower) fn close_order() -> Problem {
    Problem::new(
        "handler `close` takes the code before the reason",
        "`close` takes the socket, `CloseCode`, `&str`; leave out from the end only",
    )
}

pub(in crate::lower) fn message_by_reference(kind: Kind, referent: &Type) -> Problem {
    let owned = match text_of(referent).as_str() {
        "str" => "String".to_owned(),
        "[u8]" => "Bytes".to_owned(),
        other => other.to_owned(),
    };
    Problem::new(
        format!("handler `{}` owns its message", kind.name()),
        format!("take `{owned}`"),
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
    Problem::new(format!("`{name}` is defined twice"), "remove one")
}
