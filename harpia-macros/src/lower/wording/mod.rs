//! Every message of `#[ws_route]`: what is wrong, and text to paste.
//!
//! Lower case, no full stop, our words in backticks. The help is built from the user's own names.

pub(super) mod handler;
pub(super) mod options;

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Path, Type};

use crate::diagnostics::Problem;
use crate::model::NearMiss;
use crate::path::{Fault, FaultKind};

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

pub(super) fn auth_timeout() -> Problem {
    Problem::new(
        "`auth_timeout` without an `auth` handler",
        "add `async fn auth(&self, ws: &mut Socket<…>, first: String) -> HandlerResult`, \
         or remove `auth_timeout`: without `auth` anyone is let in",
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

/// No handler, and a method that may be one by a wrong name.
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
        "one type, one path: put the second on its own type",
    )
}

/// Code as a person writes it: the printer of tokens puts spaces everywhere, and breaks lines.
pub(super) fn text_of(node: &impl ToTokens) -> String {
    let printed = node.to_token_stream().to_string();
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = String::new();
    let mut rest = printed.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        if c != ' ' || !is_superfluous(&text, next) {
            text.push(c);
        }
    }
    text.replace(",)", ")")
}

/// Says whether the space between these can go.
fn is_superfluous(before: &str, next: char) -> bool {
    let after_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    before.ends_with(['(', '[', '<', '&', '\''])
        || before.ends_with("::")
        || matches!(next, ',' | ':' | ';' | ')' | ']' | '>')
        || (after_word && matches!(next, '(' | '<' | '!'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_written_as_a_person_would() {
        for code in [
            "fn open(&self, ws: &mut Socket<ChatData>) -> Result<(), Box<dyn Error>>",
            "async fn message(&self, (x, y): (u8, [u8; 2]), _: &'a str)",
            "harpia::Socket<Vec<(u8, u8)>>",
        ] {
            let tokens: proc_macro2::TokenStream = code.parse().expect("these are tokens");
            assert_eq!(text_of(&tokens), code);
        }
    }
}
