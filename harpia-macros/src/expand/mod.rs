//! Turns a valid route into tokens. This stage cannot fail.
//!
//! The user's block comes first ([`item`] lists the few changes to it). The generated code is one
//! `impl IntoRoute` for the user's type, which a user could write by hand. The body of
//! `share_route` has everything else: the name `__harpia` for the crate, and a private type that
//! implements `Route`.
//!
//! Because of the private type, a public route can have private data. In an impl of the user's
//! public type, the associated type `Data` would have to be public.

mod checks;
mod fallback;
mod handler;
mod item;
mod parameters;
mod route_impl;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::model::Route;
use crate::names;
use crate::parse::{Item, OptionValue, Source};

/// Returns the user's item, and the code of the route. If the route has mistakes, a stub replaces
/// its code, so that rustc adds no further error.
pub(crate) fn output(source: &Source, route: Option<Route>, problems: TokenStream) -> TokenStream {
    let item = item::expand(source, route.as_ref());
    let krate = krate(source);
    let generated = match (&route, &source.item) {
        (Some(route), _) => route_impl::expand(route, &krate),
        (None, Some(Item::Impl(block))) if block.of_trait.is_none() => {
            fallback::expand(block, &krate)
        }
        _ => TokenStream::new(),
    };
    quote!(#item #problems #generated)
}

/// Returns the path of harpia, also for a route that has mistakes.
fn krate(source: &Source) -> Path {
    let mut options = source.arguments.iter().flat_map(|all| &all.options);
    let path = options.find_map(|option| match &option.value {
        OptionValue::Path(path) => Some(path.clone()),
        _ => None,
    });
    path.unwrap_or_else(names::default_crate)
}
