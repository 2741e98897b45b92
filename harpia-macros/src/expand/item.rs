//! The user's block: unchanged, so that all their tools see what they wrote.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

use crate::model::Kind;
use crate::parse::{Block, Item, Source};

/// The item as it came, but for what is reported and would be reported again: a second route
/// attribute is left out, a second handler of one name gets another.
pub(super) fn expand(source: &Source) -> TokenStream {
    let Some(Item::Impl(block)) = &source.item else {
        return source.tokens.clone();
    };
    let repeated: Vec<&Ident> = block
        .repeated()
        .filter(|name| Kind::of(name).is_some())
        .collect();
    let tokens = if repeated.is_empty() {
        source.tokens.clone()
    } else {
        renamed(source.tokens.clone(), &repeated)
    };
    without_second_route(block, tokens)
}

/// Renames all but the first of the methods that are there twice.
fn renamed(tokens: TokenStream, repeated: &[&Ident]) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    if let Some(TokenTree::Group(body)) = trees.last_mut() {
        let span = body.span();
        let stream = renamed_methods(body.stream(), repeated);
        *body = Group::new(body.delimiter(), stream);
        body.set_span(span);
    }
    trees.into_iter().collect()
}

fn renamed_methods(body: TokenStream, repeated: &[&Ident]) -> TokenStream {
    let mut seen: Vec<Ident> = Vec::new();
    let mut after_fn = false;
    let trees = body.into_iter().map(|tree| match tree {
        TokenTree::Ident(name) if after_fn => {
            after_fn = false;
            if repeated.contains(&&name) && seen.contains(&name) {
                return TokenTree::Ident(format_ident!("__{name}_again", span = name.span()));
            }
            seen.push(name.clone());
            TokenTree::Ident(name)
        }
        tree => {
            after_fn = matches!(&tree, TokenTree::Ident(word) if word == "fn");
            tree
        }
    });
    trees.collect()
}

fn without_second_route(block: &Block, tokens: TokenStream) -> TokenStream {
    let is_route = |attribute: &&syn::Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|segment| segment.ident == "ws_route")
    };
    let attributes = &block.attributes;
    if !attributes.iter().any(|attribute| is_route(&attribute)) {
        return tokens;
    }
    let length: usize = attributes
        .iter()
        .map(|attribute| quote!(#attribute).into_iter().count())
        .sum();
    let attributes = attributes.iter().filter(|attribute| !is_route(attribute));
    let rest: TokenStream = tokens.into_iter().skip(length).collect();
    quote!(#(#attributes)* #rest)
}
