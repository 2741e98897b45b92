//! Finds methods that may have been meant as handlers, such as `mesage`, `on_message` and
//! `authenticate`.
//!
//! The name alone is no proof: a handler may call the method. This file therefore only records the
//! method. rustc knows whether anything calls it, and reports a method that nothing calls.

use syn::ext::IdentExt;
use syn::{FnArg, Pat, Signature};

use crate::model::{Kind, NearMiss};
use crate::names::ARGUMENT_NAMES;
use crate::parse::Block;
use crate::suggest::nearest;

use super::arguments::{is_handshake, is_socket};
use super::handler::is_in;

/// Finds methods whose name is close to that of a handler that the block does not have.
pub(super) fn find(block: &Block) -> Vec<NearMiss> {
    let methods = block.methods.iter();
    let noted = methods.filter_map(|method| {
        let signature = &method.signature;
        Some(NearMiss {
            name: signature.ident.clone(),
            meant: meant(signature).filter(|meant| !is_in(block, *meant))?,
            position: method.position,
        })
    });
    noted.collect()
}

/// Returns the handler that a method looks like.
fn meant(signature: &Signature) -> Option<Kind> {
    if Kind::of(&signature.ident).is_some() {
        return None;
    }
    let name = signature.ident.unraw().to_string();
    let prefixed = name.strip_prefix("on_");
    if prefixed.is_none() && !signature.inputs.iter().any(is_of_a_handler) {
        return None;
    }
    let bare = prefixed.or_else(|| name.strip_prefix("handle_"));
    let bare = bare.unwrap_or(&name);
    let near = nearest(bare, Kind::ALL.map(Kind::name)).and_then(Kind::named);
    let meant = near.or_else(|| synonym(bare));
    if signature.inputs.iter().any(is_handshake) {
        let precedes_upgrade = matches!(meant, Some(Kind::Connect | Kind::Auth | Kind::Open));
        return (precedes_upgrade || is_upgrade(bare)).then_some(Kind::Connect);
    }
    match meant {
        // `connect` runs before the upgrade, and has no socket. `open` has one.
        Some(Kind::Connect) => Some(Kind::Open),
        None if is_upgrade(bare) && signature.inputs.iter().any(is_socket) => Some(Kind::Open),
        meant => meant,
    }
}

fn is_upgrade(name: &str) -> bool {
    ["upgrade", "handshake"].contains(&name)
}

/// Returns whether an argument is a socket or a handshake, or has the name of a handler's argument.
fn is_of_a_handler(input: &FnArg) -> bool {
    let FnArg::Typed(argument) = input else {
        return false;
    };
    let is_known = match &*argument.pat {
        Pat::Ident(pat) => ARGUMENT_NAMES.iter().any(|known| pat.ident == known),
        _ => false,
    };
    is_known || is_socket(input) || is_handshake(input)
}

/// Returns the handler that has this name in other frameworks.
fn synonym(name: &str) -> Option<Kind> {
    match name {
        "authenticate" | "authenticated" | "authentication" | "authorize" | "login" => {
            Some(Kind::Auth)
        }
        "connect" | "connected" | "connection" => Some(Kind::Open),
        "disconnect" | "disconnected" => Some(Kind::Close),
        "msg" | "receive" | "text" => Some(Kind::Message),
        _ => None,
    }
}
