//! Parses tokens into a [`Source`], which keeps the user's spans. This stage knows syntax only.

mod args;
mod item;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use crate::diagnostics::Diagnostics;

pub(crate) use args::{Arguments, OptionArgument, OptionValue};
pub(crate) use item::{Block, Item, Method, conditions};

/// The user's code, as far as it could be parsed.
pub(crate) struct Source {
    pub(crate) arguments: Option<Arguments>,
    pub(crate) item: Option<Item>,
    /// The item's tokens, which are emitted unchanged.
    pub(crate) tokens: TokenStream,
}

pub(crate) fn source(
    arguments: TokenStream,
    item: TokenStream,
    problems: &mut Diagnostics,
) -> Source {
    let arguments = syn::parse2(arguments).map_err(|error| problems.push(error));
    let parsed = syn::parse2(item.clone()).map_err(|error| problems.push(error));
    Source {
        arguments: arguments.ok(),
        item: parsed.ok(),
        tokens: item,
    }
}

/// Returns whether a word appears in a node.
pub(crate) fn mentions(node: &impl ToTokens, word: &str) -> bool {
    fn any(tokens: TokenStream, word: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == word,
            TokenTree::Group(group) => any(group.stream(), word),
            _ => false,
        })
    }
    any(node.to_token_stream(), word)
}
