//! Calls that read what a handshake brought to say who its sender is: where they come too late, and
//! which of them trust what a browser sends by itself.
//!
//! Bodies stay raw tokens, so this sees harpia's own calls by their names and the socket that they
//! get, in the block itself. What is called elsewhere, the runtime refuses or warns of.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{FnArg, Pat, Signature};

use crate::diagnostics::Diagnostics;
use crate::model::Kind;
use crate::parse::{Block, Method};

use super::handler::is_socket;
use super::wording;

/// A call, and what it reads where that is a cookie.
struct Call {
    name: Ident,
    cookie: Option<&'static str>,
}

const CALLS: [(&str, Option<&str>); 6] = [
    ("from_bearer", None),
    ("from_cookie", Some("a cookie")),
    ("from_protocol", None),
    ("from_query", None),
    ("from_ws", Some("a session")),
    ("id_from_ws", Some("a session")),
];

/// Refuses what comes too late, and `any` where a cookie is read. Returns whether one is.
pub(super) fn check(block: &Block, any: Option<&TokenStream>, problems: &mut Diagnostics) -> bool {
    let mut reads_cookies = false;
    for method in &block.methods {
        let name = &method.signature.ident;
        let calls = calls(method);
        if let (Some(kind), Some(call)) = (late(name), calls.first()) {
            problems.at(
                call.name.span(),
                wording::handler::too_late(kind, &call.name),
            );
            continue;
        }
        let cookie = calls
            .iter()
            .find_map(|call| Some((&call.name, call.cookie?)));
        if let (Some(any), Some((call, what)), false) = (any, cookie, reads_cookies) {
            problems.on(any, wording::options::any_origin(call, what, name));
        }
        reads_cookies |= cookie.is_some();
    }
    reads_cookies
}

/// The handler, if it runs when the handshake is forgotten.
fn late(name: &Ident) -> Option<Kind> {
    Kind::of(name).filter(|kind| !matches!(kind, Kind::Auth | Kind::Open))
}

fn calls(method: &Method) -> Vec<Call> {
    let mut calls = Vec::new();
    if let Some(socket) = socket_name(&method.signature) {
        find(method.body.clone().into(), socket, &mut calls);
    }
    calls
}

fn socket_name(signature: &Signature) -> Option<&Ident> {
    let mut sockets = signature.inputs.iter().filter(|input| is_socket(input));
    match sockets.next()? {
        FnArg::Typed(argument) => match &*argument.pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// Finds `.name(socket…)`, in order.
fn find(tokens: TokenStream, socket: &Ident, calls: &mut Vec<Call>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        if let [TokenTree::Punct(dot), TokenTree::Ident(name)] = &trees[at.saturating_sub(2)..at]
            && dot.as_char() == '.'
            && begins_with(group.stream(), socket)
            && let Some((_, cookie)) = CALLS.iter().find(|(call, _)| name.unraw() == call)
        {
            let (name, cookie) = (name.clone(), *cookie);
            calls.push(Call { name, cookie });
        }
        find(group.stream(), socket, calls);
    }
}

/// Says whether the first argument is the socket, be it behind `&mut *`; what is read of it is not.
fn begins_with(arguments: TokenStream, socket: &Ident) -> bool {
    let is_borrow = |tree: &TokenTree| match tree {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '*'),
        TokenTree::Ident(word) => word == "mut",
        _ => false,
    };
    let mut trees = arguments.into_iter().skip_while(is_borrow);
    let is_socket = matches!(trees.next(), Some(TokenTree::Ident(word)) if word == *socket);
    let ends = match trees.next() {
        None => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ',',
        Some(_) => false,
    };
    is_socket && ends
}
