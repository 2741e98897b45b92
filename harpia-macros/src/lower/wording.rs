//! Every message of `#[ws_route]`: what is wrong, and text to paste.
//!
//! Lower case, no full stop, our words in backticks. The help is built from the user's own names.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Path, Type};

use crate::diagnostics::Problem;
use crate::model::Kind;
use crate::path::{Fault, FaultKind};

use super::options::KEYS;

pub(super) fn missing_path() -> Problem {
    Problem::new(
        "`ws_route` needs a route path",
        "write `#[ws_route(\"/chat\")]`",
    )
}

pub(super) fn path_not_literal() -> Problem {
    Problem::new(
        "the route path must be a string literal",
        "it is checked at compile time: write it out, as in `\"/chat\"`",
    )
}

pub(super) fn second_path() -> Problem {
    Problem::new("a route has one path", "put the second on its own type")
}

pub(super) fn path_fault(path: &str, fault: &Fault) -> Problem {
    let (message, help) = fault_words(path, &fault.kind);
    let marks = format!("{}{}", " ".repeat(fault.start), "^".repeat(fault.len));
    Problem::new(format!("{message}\n\n    {path}\n    {marks}\n"), help)
}

fn fault_words(path: &str, kind: &FaultKind) -> (String, String) {
    match kind {
        FaultKind::NoLeadingSlash => (
            "route path must start with `/`".into(),
            format!("write `\"/{path}\"`"),
        ),
        FaultKind::EmptySegment => (
            "empty segment in route path".into(),
            "remove one `/`".into(),
        ),
        FaultKind::TrailingSlash => (
            "route path ends with `/`".into(),
            format!("write `\"{}\"`", path.trim_end_matches('/')),
        ),
        FaultKind::Query => (
            "route path cannot contain a query".into(),
            "remove it, and read it with `#[from(query)]`".into(),
        ),
        FaultKind::BadName(name) => (
            format!("`{name}` is not a valid parameter name"),
            "a name has letters, digits and `_`, and does not begin with a digit".into(),
        ),
        FaultKind::DuplicateName(name) => (
            format!("parameter `{name}` appears twice"),
            format!("rename the second, as in `{{{name}_2}}`"),
        ),
        FaultKind::Foreign { text, ours } => (
            format!("`{text}` is not harpia path syntax"),
            format!("write `{ours}`"),
        ),
        FaultKind::CatchAll => (
            "a route path cannot have a catch-all".into(),
            "name each segment, as in `{room}`".into(),
        ),
        FaultKind::PartOfSegment(segment) => (
            format!("`{segment}` is neither fixed nor a parameter"),
            "a parameter is a whole segment, as in `/rooms/{room}`".into(),
        ),
        FaultKind::Reserved(name) => (
            format!("`{name}` cannot name a path parameter"),
            format!("it names an argument of handlers: write `{{{name}_id}}`"),
        ),
        FaultKind::Character(c) => (
            format!("route path cannot contain {c:?}"),
            "remove it".into(),
        ),
    }
}

pub(super) fn unknown_option(key: &str, near: Option<&str>) -> Problem {
    let help = match near {
        _ if key == "auth_timeout" => {
            "there is no `auth` handler in this version: check the peer in `open`".into()
        }
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the options are `{}`", KEYS.join("`, `")),
    };
    Problem::new(format!("unknown option `{key}`"), help)
}

pub(super) fn duplicate_option(key: &Ident) -> Problem {
    Problem::new(format!("option `{key}` is given twice"), "remove one")
}

pub(super) fn data_is_string(text: &str) -> Problem {
    Problem::new(
        "`data` takes a type, not a string",
        format!("write `data = {text}`"),
    )
}

pub(super) fn data_is_no_type() -> Problem {
    Problem::new("`data` takes a type", "write `data = ChatData`")
}

pub(super) fn crate_is_no_path() -> Problem {
    Problem::new("`crate` takes a path", "write `crate = my_crate::harpia`")
}

pub(super) fn one_of(key: &str, words: &[&str]) -> Problem {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("`{key} = {word}`"))
        .collect();
    Problem::new(
        format!("`{key}` does not take this value"),
        format!("write {}", words.join(" or ")),
    )
}

pub(super) fn size(key: &str) -> Problem {
    Problem::new(
        format!("`{key}` takes a size"),
        format!("write it with a unit, as in `{key} = \"64KiB\"` (B, KB, MB, KiB, MiB, GiB)"),
    )
}

pub(super) fn compression() -> Problem {
    Problem::new(
        "`compression` takes `on`, `off`, or the size from which on it pays",
        "write `compression = on`, or `compression = \"4KiB\"`",
    )
}

pub(super) fn duration(key: &str) -> Problem {
    Problem::new(
        format!("`{key}` takes a time that is not zero"),
        format!("write it with a unit, as in `{key} = \"30s\"` (ms, s, m, h), or `{key} = off`"),
    )
}

pub(super) fn rate() -> Problem {
    Problem::new(
        "`rate` takes messages in a time",
        "write `rate = \"50/s\"`, `rate = \"20/10s\"` or `rate = off`",
    )
}

pub(super) fn origins() -> Problem {
    Problem::new(
        "`origins` takes a list of origins",
        "write `origins = [\"https://example.com\"]`, or `origins = any`",
    )
}

pub(super) fn origin(text: &str) -> Problem {
    Problem::new(
        format!("`{text}` is not an origin"),
        "an origin is scheme, host and maybe a port: `\"https://example.com\"`",
    )
}

pub(super) fn protocols() -> Problem {
    Problem::new(
        "`protocols` takes a list of names",
        "write `protocols = [\"chat.v1\"]`",
    )
}

pub(super) fn protocol(text: &str) -> Problem {
    Problem::new(
        format!("`{text}` is not a subprotocol name"),
        "a name has letters, digits and `.-_`, as in `\"chat.v1\"`",
    )
}

pub(super) fn protocol_twice(text: &str) -> Problem {
    Problem::new(format!("subprotocol `{text}` is given twice"), "remove one")
}

pub(super) fn not_an_impl(name: Option<&Ident>) -> Problem {
    let help = match name {
        Some(name) if is_type_name(name) => format!("put it on `impl {name} {{ … }}`"),
        Some(name) => {
            format!("move `{name}` into an `impl Chat {{ … }}`, and the attribute onto that")
        }
        None => "put it on `impl Chat { … }`".into(),
    };
    Problem::new("`ws_route` goes on an `impl` block", help)
}

fn is_type_name(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

pub(super) fn trait_impl(of_trait: &Path) -> Problem {
    Problem::new(
        "`ws_route` needs an inherent `impl` block",
        format!("remove `{} for`", text_of(of_trait)),
    )
}

pub(super) fn no_handlers(self_type: &Type) -> Problem {
    Problem::new(
        format!("`{}` has no handlers", text_of(self_type)),
        "add one of `open`, `message`, `close`, `drain`, `error`",
    )
}

pub(super) fn two_routes(self_type: &Type) -> Problem {
    Problem::new(
        format!("`{}` already has a route", text_of(self_type)),
        "one type, one path: put the second on its own type",
    )
}

pub(super) fn misspelt(name: &str, meant: &str) -> Problem {
    Problem::new(
        format!("unknown handler `{name}`"),
        format!("did you mean `{meant}`? If not, move it to another `impl` block"),
    )
}

pub(super) fn no_auth(name: &str) -> Problem {
    Problem::new(
        format!("unknown handler `{name}`"),
        "there is no `auth` handler in this version: check the peer in `open`, \
         or move this to another `impl` block",
    )
}

pub(super) fn message_or_parameter(name: &str, parameter: &str) -> Problem {
    Problem::new(
        format!("is `{name}` the message or the path parameter `{parameter}`?"),
        format!("call it `message`, or `{parameter}`"),
    )
}

pub(super) fn unknown_parameter(
    kind: Kind,
    name: &str,
    near: Option<&str>,
    names: &[String],
) -> Problem {
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the path has `{{{}}}`", names.join("}`, `{")),
    };
    Problem::new(
        format!("`{}` reads `{name}`, which is not in the path", kind.name()),
        help,
    )
}

pub(super) fn broadcast_off() -> Problem {
    Problem::new(
        "this route has `broadcast = off`, so `message` has nothing to decide",
        "return nothing or `HandlerResult`, or remove `broadcast = off`",
    )
}

pub(super) fn generic() -> Problem {
    Problem::new("a handler cannot be generic", "name a concrete type")
}

pub(super) fn qualifier(name: &str, keyword: &str) -> Problem {
    Problem::new(
        format!("handler `{name}` cannot be `{keyword}`"),
        format!("remove `{keyword}`"),
    )
}

pub(super) fn no_receiver(kind: Kind) -> Problem {
    Problem::new(
        format!("handler `{}` must take `&self`", kind.name()),
        format!("write `{}`", signature(kind)),
    )
}

pub(super) fn wrong_receiver(kind: Kind) -> Problem {
    Problem::new(
        format!("handler `{}` must take `&self`", kind.name()),
        "all connections share it: what belongs to one goes into `ws.data`, \
         the rest behind a `Mutex`",
    )
}

pub(super) fn extra_argument(kind: Kind) -> Problem {
    let takes = match kind {
        Kind::Open | Kind::Drain => "the socket",
        Kind::Message => "the socket and the message",
        Kind::Close => "the socket, the code and the reason",
        Kind::Error => "the socket and the error",
    };
    Problem::new(
        format!("handler `{}` takes only {takes}", kind.name()),
        "what connections share goes into the route's own fields, a parameter into its path",
    )
}

pub(super) fn socket_by_value(socket: &Type) -> Problem {
    Problem::new(
        "handlers borrow the socket",
        format!("write `&mut {}`", text_of(socket)),
    )
}

fn signature(kind: Kind) -> &'static str {
    match kind {
        Kind::Open => "async fn open(&self, ws: &mut Socket<ChatData>) -> HandlerResult",
        Kind::Message => "async fn message(&self, ws: &mut Socket<ChatData>, message: Message)",
        Kind::Close => {
            "async fn close(&self, ws: &mut Socket<ChatData>, code: CloseCode, reason: &str)"
        }
        Kind::Drain => "fn drain(&self, ws: &mut Socket<ChatData>)",
        Kind::Error => "fn error(&self, error: &harpia::Error)",
    }
}

/// A type as a person writes it: the printer of tokens puts spaces everywhere.
fn text_of(node: &impl ToTokens) -> String {
    let text = node.to_token_stream().to_string();
    text.replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace("& ", "&")
}
