//! Expands a stub in place of a route with mistakes, so that `.ws(Chat)` adds no further error.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Path, Token};

use crate::parse::Block;

pub(super) fn expand(block: &Block, krate: &Path) -> TokenStream {
    let generics = generics(block);
    let (generics, _, where_clause) = generics.split_for_impl();
    let self_type = &block.self_type;
    quote! {
        #[automatically_derived]
        impl #generics #krate::IntoRoute for #self_type #where_clause {
            const PATH: &'static str = "";
            fn share_route(self: ::std::sync::Arc<Self>) -> impl #krate::Route {
                #krate::__private::Broken
            }
        }
    }
}

/// Returns the generics of the block, without parameters that the self type does not use. rustc
/// reports such parameters in the user's block, and would report them again in the stub.
fn generics(block: &Block) -> Generics {
    let mut generics = block.generics.clone();
    let is_tied = |parameter: &&GenericParam| !block.is_unconstrained(parameter);
    let tied: Punctuated<GenericParam, Token![,]> =
        generics.params.iter().filter(is_tied).cloned().collect();
    if tied.len() < generics.params.len() {
        generics.params = tied;
        generics.where_clause = None;
    }
    generics
}
