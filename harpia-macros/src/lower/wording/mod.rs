//! The errors of `#[ws_route]`: what is wrong, and text to paste.
//!
//! Errors are in lower case without a full stop, with harpia's words in backticks. The help uses
//! the user's names.

pub(super) mod handler;
pub(super) mod options;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Expr, Path, Type};

use crate::diagnostics::Problem;
use crate::model::{Kind, NearMiss};
use crate::path::{Fault, FaultKind};
use crate::text::{in_small_letters, text_of};

/// The help suggests a path made from the type's name.
pub(super) fn missing_path(type_name: Option<&Ident>) -> Problem {
    let segment = type_name.map_or_else(|| "chat".to_owned(), |name| in_small_letters(name, '-'));
    Problem::new(
        "`ws_route` needs a route path",
        format!("write `#[ws_route(\"/{segment}\")]`"),
    )
}

pub(super) fn path_not_literal() -> Problem {
    Problem::new(
        "the route path must be a string literal",
        "write it out, as in `\"/chat\"`: it is checked at compile time",
    )
}

pub(super) fn auth_timeout(data: Option<&Type>) -> Problem {
    let socket = match data.map(text_of) {
        Some(data) if data != "()" => format!("Socket<{data}>"),
        _ => "Socket".to_owned(),
    };
    Problem::new(
        "`auth_timeout` needs an `auth` handler: without one the route lets everybody in",
        format!(
            "add `async fn auth(&self, ws: &mut {socket}, first: String) -> HandlerResult`, or \
             remove `auth_timeout`"
        ),
    )
}

pub(super) fn second_path(second: &Expr) -> Problem {
    Problem::new(
        "a route has one path",
        format!("put `{}` on a type of its own", text_of(second)),
    )
}

pub(super) fn path_fault(path: &str, fault: &Fault) -> Problem {
    let (message, help) = fault_words(path, &fault.kind);
    let marks = format!("{}{}", " ".repeat(fault.start), "^".repeat(fault.len));
    Problem::new(format!("{message}\n\n    {path}\n    {marks}\n"), help)
}

fn fault_words(path: &str, kind: &FaultKind) -> (String, String) {
    match kind {
        FaultKind::NoLeadingSlash => (
            "a route path must start with `/`".into(),
            format!("write `\"/{path}\"`"),
        ),
        FaultKind::EmptySegment => (
            "a route path cannot have an empty segment".into(),
            format!("write `\"{}\"`", without_empty_segments(path)),
        ),
        FaultKind::TrailingSlash => (
            "a route path cannot end with `/`".into(),
            format!("write `\"{}\"`", path.trim_end_matches('/')),
        ),
        FaultKind::Query => (
            "a route path cannot have a query".into(),
            format!(
                "write `\"{}\"`, and read the query with `#[from(query)]`",
                path.split(['?', '#']).next().unwrap_or_default()
            ),
        ),
        FaultKind::BadName(name) => (
            format!("`{name}` is not a valid parameter name"),
            "a name has letters, digits and `_`, and does not begin with a digit".into(),
        ),
        FaultKind::DuplicateName(name) => (
            format!("path parameter `{name}` appears twice"),
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
            "a path parameter must be a whole segment".into(),
            match segment
                .split_once('{')
                .and_then(|(_, rest)| rest.split_once('}'))
            {
                Some((name, _)) => format!("write `{{{name}}}` in place of `{segment}`"),
                None => format!("write `{{{}}}`", segment.replace(['{', '}'], "")),
            },
        ),
        FaultKind::Reserved(name) => (
            format!("`{name}` cannot name a path parameter: it names an argument of handlers"),
            format!("write `{{{name}_id}}`"),
        ),
        FaultKind::Character(c) => (
            format!("a route path cannot contain {c:?}"),
            "remove it".into(),
        ),
    }
}

fn without_empty_segments(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.fold(String::new(), |path, segment| path + "/" + segment)
}

pub(super) fn not_an_impl(name: Option<&Ident>) -> Problem {
    let help = match name {
        Some(name) if is_type_name(name) => format!("put it on `impl {name} {{ … }}`"),
        Some(name) => {
            format!("move `{name}` into an `impl` block, and put the attribute on that")
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
        format!("add one of `{}`", Kind::ALL.map(Kind::name).join("`, `")),
    )
}

/// For a block without handlers that has a method with a similar name.
pub(super) fn misnamed(self_type: &Type, near: &NearMiss) -> Problem {
    let name = near.name.unraw();
    Problem::new(
        format!("`{}` has no handlers", text_of(self_type)),
        format!(
            "`{name}` is not a handler: did you mean `{}`?",
            near.meant.name()
        ),
    )
}

pub(super) fn two_routes(self_type: &Type) -> Problem {
    Problem::new(
        format!("`{}` already has a route", text_of(self_type)),
        "remove this attribute, or put it on a type of its own",
    )
}
