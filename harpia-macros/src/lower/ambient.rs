//! Calls that trust what a browser sends by itself, on a route that any page may connect to.
//!
//! Bodies stay raw tokens, so this sees harpia's own calls by their names, in the block itself. What
//! is called elsewhere, the runtime warns of.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::diagnostics::Diagnostics;
use crate::parse::Block;

use super::wording;

/// The calls that read a cookie of the handshake, and what each stands for.
const CALLS: [(&str, &str); 3] = [
    ("from_cookie", "a cookie"),
    ("from_ws", "a session"),
    ("id_from_ws", "a session"),
];

/// Refuses `any` where a method of the block calls one of them.
pub(super) fn check(any: &TokenStream, block: &Block, problems: &mut Diagnostics) {
    let calls = block.methods.iter().find_map(|method| {
        let (call, what) = find(method.body.clone().into())?;
        Some((call, what, &method.signature.ident))
    });
    if let Some((call, what, method)) = calls {
        problems.on(any, wording::options::any_origin(&call, what, method));
    }
}

/// Finds `.name(…)`.
fn find(tokens: TokenStream) -> Option<(Ident, &'static str)> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let calls = trees.windows(3).filter_map(|three| match three {
        [
            TokenTree::Punct(dot),
            TokenTree::Ident(name),
            TokenTree::Group(_),
        ] if dot.as_char() == '.' => {
            let (_, what) = CALLS.iter().find(|(call, _)| name == call)?;
            Some((name.clone(), *what))
        }
        _ => None,
    });
    let inner = trees.iter().filter_map(|tree| match tree {
        TokenTree::Group(group) => find(group.stream()),
        _ => None,
    });
    calls.chain(inner).next()
}
