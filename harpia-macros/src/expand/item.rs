//! Emits the user's block, so that the user's tools see the code as it was written.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use crate::model::{Kind, NearMiss, Route};
use crate::parse::{Block, Item, Source};

/// Returns the item as the user wrote it, except for mistakes that rustc would report a second
/// time: a second route attribute is removed, and a second handler of the same name is renamed.
/// Methods that may have been meant as handlers get a lint.
pub(super) fn expand(source: &Source, route: Option<&Route>) -> TokenStream {
    let Some(Item::Impl(block)) = &source.item else {
        return source.tokens.clone();
    };
    let repeated: Vec<&Ident> = block
        .repeated()
        .filter(|name| Kind::of(name).is_some())
        .collect();
    let mut tokens = source.tokens.clone();
    if let Some(route) = route.filter(|route| !route.near_misses.is_empty()) {
        tokens = with_body(tokens, |body| linted(body, route));
    }
    if !repeated.is_empty() {
        tokens = with_body(tokens, |body| renamed_methods(body, &repeated));
    }
    without_second_route(block, tokens)
}

/// Changes the contents of the block's braces.
fn with_body(tokens: TokenStream, change: impl Fn(TokenStream) -> TokenStream) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    if let Some(TokenTree::Group(body)) = trees.last_mut() {
        let span = body.span();
        *body = Group::new(body.delimiter(), change(body.stream()));
        body.set_span(span);
    }
    trees.into_iter().collect()
}

/// Makes rustc report a near miss that nothing calls. A method that is called is an ordinary
/// method. The user's own `#[allow(dead_code)]` comes after this attribute and overrides it.
///
/// rustc sees no calls in a generic route that no app has. The near misses of a generic route are
/// therefore reported only if nothing else in the block names them.
fn linted(body: TokenStream, route: &Route) -> TokenStream {
    let is_generic = !route.generics.params.is_empty();
    let is_called = |near: &NearMiss| is_generic && count(body.clone(), &near.name) > 1;
    let near_misses = route.near_misses.iter();
    let uncalled: Vec<&NearMiss> = near_misses.filter(|near| !is_called(near)).collect();
    let trees = body.clone().into_iter().enumerate().map(|(at, tree)| {
        let near = uncalled.iter().find(|near| near.position == at);
        let lint = near.map(|near| {
            let reason = reason(near);
            quote_spanned!(near.name.span()=> #[deny(dead_code, reason = #reason)])
        });
        quote!(#lint #tree)
    });
    trees.collect()
}

/// Counts how often a name appears in tokens.
fn count(tokens: TokenStream, name: &Ident) -> usize {
    let counts = tokens.into_iter().map(|tree| match tree {
        TokenTree::Ident(ident) => usize::from(ident == *name),
        TokenTree::Group(group) => count(group.stream(), name),
        _ => 0,
    });
    counts.sum()
}

fn reason(near: &NearMiss) -> String {
    let (name, meant) = (near.name.unraw(), near.meant.name());
    match near.meant {
        Kind::Auth | Kind::Connect => format!(
            "`{name}` is not a handler: harpia never calls it, so the route lets everybody in; \
             did you mean `{meant}`?"
        ),
        _ => format!("`{name}` is not a handler: harpia never calls it; did you mean `{meant}`?"),
    }
}

fn renamed_methods(body: TokenStream, repeated: &[&Ident]) -> TokenStream {
    let mut seen: Vec<Ident> = Vec::new();
    let mut after_fn = false;
    let trees = body.into_iter().map(|tree| match tree {
        TokenTree::Ident(name) if after_fn => {
            after_fn = false;
            let is_known = seen.contains(&name.unraw());
            seen.push(name.unraw());
            if is_known && repeated.contains(&&name) {
                let again = format_ident!("__{}_again", name.unraw(), span = name.span());
                return TokenTree::Ident(again);
            }
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
